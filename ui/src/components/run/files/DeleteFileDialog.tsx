import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { artifactsQuery, deleteFile } from "@/api/queries";
import type { Artifact } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { bytes } from "@/lib/format";

export interface DeleteFileDialogProps {
  runId: string;
  file: Artifact;
  onClose: () => void;
}

/** Asks before a file goes for good. */
export function DeleteFileDialog({ runId, file, onClose }: DeleteFileDialogProps) {
  const queries = useQueryClient();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => deleteFile(runId, file.name),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: artifactsQuery(runId).queryKey });
      onClose();
    },
  });
  const confirm = () => {
    if (!isPending) mutate();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      onConfirm={confirm}
      icon={<Trash2 aria-hidden size={19} className="shrink-0 text-fail" />}
      title="Delete this file?"
      actions={
        <>
          <Button data-autofocus onClick={onClose}>
            Keep it
          </Button>
          <Button look="danger" onClick={confirm} disabled={isPending}>
            {isPending ? "Deleting…" : `Delete ${bytes(file.bytes)}`}
          </Button>
        </>
      }
    >
      <p className="break-all font-medium text-text">{file.name}</p>
      <p>It is gone for good. The log keeps its name, its size and its hash, and who deleted it.</p>
      {error && (
        <p role="alert" className="rounded-md bg-failed-soft px-3 py-2 text-failed-text text-sm">
          {error.message}
        </p>
      )}
    </Dialog>
  );
}
