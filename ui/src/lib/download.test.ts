// @vitest-environment node
import { createHash } from "node:crypto";
import { Download, type Surroundings } from "@/lib/download";

const DATA = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251);
const SHA = createHash("sha256").update(DATA).digest("hex");
const WANTED = { url: "/api/runs/r1/artifacts/a.bin", filename: "a.bin", bytes: DATA.length, sha256: SHA };

interface Asked {
  range: string | null;
  ifRange: string | null;
}

/** A server that sends `data` in chunks of 1,000 bytes; `breaksAfter` cuts the n-th answer. */
function aServer({ data = DATA, etag = '"1"', breaksAfter = [] as (number | null)[], status = 0 } = {}) {
  const asked: Asked[] = [];
  const saved: [Blob, string][] = [];
  let gate: Promise<void> = Promise.resolve();
  const around: Surroundings = {
    now: () => performance.now(),
    rest: () => Promise.resolve(),
    save: (file, filename) => saved.push([file, filename]),
    fetch: async (_url, init) => {
      const headers = new Headers(init?.headers);
      const range = headers.get("range");
      asked.push({ range, ifRange: headers.get("if-range") });
      if (status) return new Response(JSON.stringify({ error: { message: "It was removed." } }), { status });
      const isSame = headers.get("if-range") === null || headers.get("if-range") === etag;
      const start = range && isSame ? Number(/bytes=(\d+)-/.exec(range)?.[1]) : 0;
      const limit = breaksAfter[asked.length - 1] ?? null;
      let at = start;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await gate;
          if (limit !== null && at - start >= limit) return controller.error(new TypeError("cut"));
          if (at >= data.length) return controller.close();
          controller.enqueue(data.slice(at, at + 1_000));
          at += 1_000;
        },
      });
      return new Response(body, { status: start > 0 ? 206 : 200, headers: { etag } });
    },
  };
  return {
    around,
    asked,
    saved,
    hold: () => {
      let open = () => {};
      gate = new Promise((done) => {
        open = done;
      });
      return () => open();
    },
  };
}

async function bytesOf(blob: Blob | undefined): Promise<Uint8Array> {
  return new Uint8Array(await (blob as Blob).arrayBuffer());
}

test("a file comes whole, its hash is checked, and it is handed over once", async () => {
  const server = aServer();
  const download = new Download(WANTED, server.around);

  await download.start();

  expect(download.state).toMatchObject({ phase: "done", done: 10_000, error: null });
  expect(server.saved.map(([, name]) => name)).toEqual(["a.bin"]);
  expect(await bytesOf(server.saved[0]?.[0])).toEqual(DATA);
});

test("a very large file is hashed piece by piece, and one that differs is not handed over", async () => {
  const server = aServer();
  const whole = new Download(WANTED, { ...server.around, wholeBytes: 0 });
  const other = new Download({ ...WANTED, sha256: "0".repeat(64) }, { ...server.around, wholeBytes: 0 });

  await whole.start();
  await other.start();

  expect([whole.state.phase, other.state.phase]).toEqual(["done", "failed"]);
  expect(server.saved).toHaveLength(1);
});

test("a connection that breaks is taken up again where it was", async () => {
  const server = aServer({ breaksAfter: [3_000, 2_000] });
  const download = new Download(WANTED, server.around);

  await download.start();

  expect(server.asked).toEqual([
    { range: null, ifRange: null },
    { range: "bytes=3000-", ifRange: '"1"' },
    { range: "bytes=5000-", ifRange: '"1"' },
  ]);
  expect(await bytesOf(server.saved[0]?.[0])).toEqual(DATA);
});

test("a network that stays away leaves it broken, and a resume goes on", async () => {
  const server = aServer({ breaksAfter: [4_000, 0, 0, 0, 0, 0] });
  const download = new Download(WANTED, server.around);

  await download.start();
  const broken = download.state;
  await download.start();

  expect(broken).toMatchObject({ phase: "broken", done: 4_000 });
  expect(download.state.phase).toBe("done");
  expect(server.asked.at(-1)?.range).toBe("bytes=4000-");
});

test("a pause keeps what has come", async () => {
  const server = aServer();
  const open = server.hold();
  const download = new Download(WANTED, server.around);
  const going = download.start();
  const leave = download.subscribe(() => {
    if (download.state.done > 0 && download.state.phase === "running") download.pause();
  });
  open();
  await going;
  const paused = download.state;
  leave();

  await download.start();

  expect(paused.phase).toBe("paused");
  expect(paused.done).toBeGreaterThan(0);
  expect(download.state.phase).toBe("done");
  expect(await bytesOf(server.saved[0]?.[0])).toEqual(DATA);
});

test("a file that is another one by now is begun anew", async () => {
  const server = aServer({ breaksAfter: [4_000] });
  const { fetch } = server.around;
  let count = 0;
  const around: Surroundings = {
    ...server.around,
    fetch: (url, init) => {
      count += 1;
      const headers = new Headers(init?.headers);
      if (count > 1) headers.set("if-range", '"old"');
      return fetch(url, { ...init, headers });
    },
  };
  const download = new Download(WANTED, around);

  await download.start();

  expect(download.state).toMatchObject({ phase: "done", done: 10_000 });
});

test("bytes that differ are not handed over", async () => {
  const server = aServer({ data: DATA.toReversed() });
  const download = new Download(WANTED, server.around);

  await download.start();

  expect(download.state).toMatchObject({ phase: "failed", done: 0 });
  expect(download.state.error).toContain("hash differs");
  expect(server.saved).toEqual([]);
});

test("a refusal says why and is not asked again", async () => {
  const server = aServer({ status: 404 });
  const download = new Download(WANTED, server.around);

  await download.start();

  expect(download.state).toMatchObject({ phase: "failed", error: "It was removed." });
  expect(server.asked).toHaveLength(1);
});

test("a cancel forgets what has come", async () => {
  const server = aServer({ breaksAfter: [4_000, 0, 0, 0, 0, 0] });
  const download = new Download(WANTED, server.around);
  await download.start();

  download.cancel();

  expect(download.state).toMatchObject({ phase: "paused", done: 0, error: null });
});

test("an empty file is a file", async () => {
  const empty = createHash("sha256").digest("hex");
  const server = aServer({ data: new Uint8Array() });
  const download = new Download({ ...WANTED, bytes: 0, sha256: empty }, server.around);

  await download.start();

  expect(download.state.phase).toBe("done");
  expect(server.saved[0]?.[0].size).toBe(0);
});
