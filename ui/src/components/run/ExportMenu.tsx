import { Download } from "lucide-react";
import { Button } from "@/components/base/Button";
import { Menu, MenuLink, MenuTitle } from "@/components/run/Menu";

const FORMATS = [
  ["csv", "CSV", "for spreadsheets"],
  ["json", "JSON", "one document"],
  ["jsonl", "JSONL", "one line each"],
] as const;

/** All results as a file, as they are now. */
export function ExportMenu({ runId, units }: { runId: string; units: string }) {
  return (
    <Menu
      trigger={
        <Button icon={<Download aria-hidden />} aria-label="Export">
          <span className="max-lg:hidden">Export</span>
        </Button>
      }
    >
      <MenuTitle>All {units}, as they are now</MenuTitle>
      {FORMATS.map(([format, name, note]) => (
        <MenuLink
          key={format}
          href={`/api/runs/${encodeURIComponent(runId)}/export?format=${format}`}
          note={note}
        >
          {name}
        </MenuLink>
      ))}
    </Menu>
  );
}
