import { useQuery } from "@tanstack/react-query";
import type { Artifact } from "@/api/types";
import { ErrorPanel } from "@/components/base/ErrorPanel";
import { PagePreview } from "@/components/run/files/PagePreview";
import {
  decoded,
  IMAGE_BYTES,
  imageType,
  MOST_COLUMNS,
  MOST_ROWS,
  PAGE_BYTES,
  type PreviewKind,
  pretty,
  rowsOf,
  TEXT_BYTES,
} from "@/lib/filePreview";
import { bytes, count } from "@/lib/format";

interface FilePreviewProps {
  file: Artifact;
  url: string;
  kind: PreviewKind;
}

/** The begin of a file. Nothing of it runs: text nodes, images whose bytes prove to be some, pages without power. */
export function FilePreview(props: FilePreviewProps) {
  const { file, kind } = props;
  return kind === "page" && file.bytes > 0 && file.bytes <= PAGE_BYTES ? (
    <PagePreview {...props} source={<BytesPreview {...props} />} />
  ) : (
    <BytesPreview {...props} />
  );
}

/** Text, tables and images, which we draw ourselves. */
function BytesPreview({ file, url, kind }: FilePreviewProps) {
  const most = kind === "image" ? IMAGE_BYTES : TEXT_BYTES;
  const isTooLarge = kind === "image" && file.bytes > most;
  const { data, error, refetch } = useQuery({
    queryKey: ["preview", url, file.sha256],
    queryFn: ({ signal }) => begin(url, Math.min(most, file.bytes), signal),
    enabled: !isTooLarge && file.bytes > 0,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  if (file.bytes === 0) return <Word>The file is empty.</Word>;
  if (isTooLarge) return <Word>Images above {bytes(IMAGE_BYTES)} are not shown. Download it.</Word>;
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (!data) return <Word>Loading…</Word>;
  return kind === "image" ? (
    <Picture data={data} name={file.name} />
  ) : (
    <Words data={data} file={file} kind={kind} />
  );
}

async function begin(url: string, most: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url, {
    headers: { Range: `bytes=0-${most - 1}` },
    credentials: "same-origin",
    signal,
  });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  const reader = response.body?.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  while (reader && size < most) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.byteLength;
  }
  await reader?.cancel(); // a server between us that knows no ranges sends it all
  const whole = new Uint8Array(Math.min(size, most));
  let at = 0;
  for (const part of parts) {
    const room = part.subarray(0, whole.length - at);
    whole.set(room, at);
    at += room.length;
  }
  return whole;
}

function Picture({ data, name }: { data: Uint8Array; name: string }) {
  const type = imageType(data);
  if (type === null) return <Word>This is not an image that can be shown.</Word>;
  let text = "";
  for (let at = 0; at < data.length; at += 0x8000)
    text += String.fromCharCode(...data.subarray(at, at + 0x8000));
  return (
    <img
      src={`data:${type};base64,${btoa(text)}`}
      alt={name}
      className="max-h-96 max-w-full rounded-md border border-line object-contain"
    />
  );
}

function Words({ data, file, kind }: { data: Uint8Array; file: Artifact; kind: PreviewKind }) {
  const text = decoded(data);
  if (text === null) return <Word>This is not text.</Word>;
  const isCut = data.length < file.bytes;
  const shown = `The first ${bytes(data.length)} of ${bytes(file.bytes)}.`;
  if (kind === "table") {
    const rows = rowsOf(text, file.name.endsWith(".tsv") ? "\t" : ",", isCut);
    return <Rows rows={rows} name={file.name} isCut={isCut} />;
  }
  return (
    <>
      <section
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={`Begin of ${file.name}`}
        className="max-h-96 overflow-auto rounded-md border border-line bg-surface p-3"
      >
        <pre className="whitespace-pre-wrap break-words font-mono text-xs">
          {kind === "json" && !isCut ? pretty(text) : text}
        </pre>
      </section>
      {isCut && <Word>{shown}</Word>}
    </>
  );
}

function Rows({ rows, name, isCut }: { rows: string[][]; name: string; isCut: boolean }) {
  const [head = [], ...body] = rows;
  const columns = Math.max(0, ...rows.slice(0, MOST_ROWS).map((row) => row.length));
  const width = Math.min(columns, MOST_COLUMNS);
  const isMore = isCut || body.length > MOST_ROWS - 1;
  const told = [
    isMore && `The first ${count(Math.min(body.length, MOST_ROWS - 1))} rows.`,
    columns > width && `${count(columns - width)} more columns.`,
  ].filter(Boolean);
  const places = Array.from({ length: width }, (_, place) => place);
  return (
    <>
      <section
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={`Begin of ${name}`}
        className="max-h-96 overflow-auto rounded-md border border-line bg-surface"
      >
        <table className="text-xs">
          <thead className="sticky top-0 bg-card text-left">
            <tr>
              {places.map((place) => (
                <th
                  key={place}
                  scope="col"
                  className="whitespace-nowrap border-line border-b px-2.5 py-1.5 font-medium"
                >
                  {head[place]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {body.slice(0, MOST_ROWS - 1).map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of a file have no other name
              <tr key={index} className="border-line border-b last:border-0">
                {places.map((place) => (
                  <td key={place} className="max-w-80 truncate px-2.5 py-1" title={row[place]}>
                    {row[place]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {told.length > 0 && <Word>{told.join(" ")}</Word>}
    </>
  );
}

function Word({ children }: { children: React.ReactNode }) {
  return <p className="mt-1.5 text-text-2 text-xs">{children}</p>;
}
