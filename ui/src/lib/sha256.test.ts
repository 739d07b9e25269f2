import { createHash } from "node:crypto";
import { Sha256 } from "@/lib/sha256";

const expected = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("the digests of FIPS 180-4", () => {
  const text = (words: string) => new Sha256().update(new TextEncoder().encode(words)).hex();

  expect(text("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(text("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test.each([55, 56, 63, 64, 65, 119, 120, 1_000, 100_003])("%i bytes in pieces of any size", (size) => {
  const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 7)) % 256);

  for (const piece of [1, 7, 64, 4_096, size]) {
    if (piece === 1 && size > 2_000) continue;
    const hash = new Sha256();
    for (let at = 0; at < size; at += piece) hash.update(bytes.subarray(at, at + piece));
    expect(hash.hex()).toBe(expected(bytes));
  }
});
