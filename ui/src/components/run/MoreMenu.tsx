import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { isTerminal, type Run } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { Menu, MenuEntry } from "@/components/run/Menu";
import { asCommand } from "@/lib/analysis/command";
import { copied } from "@/lib/clipboard";

export interface MoreMenuProps {
  run: Run;
  onDelete: () => Promise<void>;
}

/** What is needed now and then. */
export function MoreMenu({ run, onDelete }: MoreMenuProps) {
  const [isAsking, setAsking] = useState(false);
  const copy = async (text: string, what: string) => {
    if (await copied(text)) toast.success(`${what} copied`, { id: "copied" });
    else toast.error("The browser lets nothing be copied here", { id: "copied" });
  };
  const remove = () => {
    setAsking(false);
    void onDelete();
  };
  return (
    <>
      <Menu trigger={<Button icon={<Ellipsis aria-hidden />} aria-label="More" />}>
        <MenuEntry onSelect={() => void copy(location.href, "Link")} note="y">
          Copy link
        </MenuEntry>
        <MenuEntry onSelect={() => void copy(run.id, "Id")}>Copy id</MenuEntry>
        <MenuEntry onSelect={() => void copy(asCommand(run), "Command")}>Copy as CLI</MenuEntry>
        <MenuEntry
          onSelect={() => setAsking(true)}
          disabled={!isTerminal(run.status)}
          note={isTerminal(run.status) ? null : "when ended"}
        >
          Delete…
        </MenuEntry>
      </Menu>
      <Dialog
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={remove}
        title="Delete run?"
        actions={
          <>
            <Button data-autofocus onClick={() => setAsking(false)}>
              Keep it
            </Button>
            <Button look="danger" onClick={remove}>
              Delete run
            </Button>
          </>
        }
      >
        The log, the results and the files of {run.name} are removed. This action cannot be undone.
      </Dialog>
    </>
  );
}
