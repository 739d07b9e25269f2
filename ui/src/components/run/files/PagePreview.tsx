import { type ReactNode, useState } from "react";
import type { Artifact } from "@/api/types";

interface PagePreviewProps {
  file: Artifact;
  url: string;
  /** What is shown of it as text. */
  source: ReactNode;
}

/**
 * A page that a job wrote, in a frame without any power: no script, no form, no window, no origin,
 * and nothing from elsewhere. The server says the same again in the page's own headers.
 */
export function PagePreview({ file, url, source }: PagePreviewProps) {
  const [isSource, setSource] = useState(false);
  return (
    <>
      {isSource ? (
        source
      ) : (
        <iframe
          sandbox=""
          referrerPolicy="no-referrer"
          src={`${url}?view=page&sha256=${file.sha256}`}
          title={`The page ${file.name}`}
          className="h-[32rem] max-h-[75dvh] w-full rounded-md border border-line bg-card"
        />
      )}
      <p className="mt-1.5 flex flex-wrap items-center justify-between gap-x-4 text-text-2 text-xs">
        Scripts, forms and whatever lies elsewhere are off.
        <button
          type="button"
          aria-pressed={isSource}
          onClick={() => setSource(!isSource)}
          className="h-7 rounded-md px-2 hover:bg-hover max-md:h-11"
        >
          {isSource ? "Show as a page" : "Show its source"}
        </button>
      </p>
    </>
  );
}
