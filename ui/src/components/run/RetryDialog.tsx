import { useQueries } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useId, useState } from "react";
import { retryQuery } from "@/api/queries";
import type { JsonObject, Kind, Preview, RetryOnly, Run } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { PreviewFacts } from "@/components/run/PreviewFacts";
import { RetryChanges } from "@/components/run/RetryChanges";
import { useRetry } from "@/components/run/useRetry";
import { cn } from "@/lib/cn";
import { count, counted, NONE } from "@/lib/format";
import { todoOf } from "@/lib/preview";

const CHOICES = ["remaining", "failed", "all"] as const satisfies readonly RetryOnly[];
const NAMES = {
  remaining: "Retry remaining",
  failed: "Retry failed",
  all: "Run everything again",
} satisfies Record<RetryOnly, string>;

export interface RetryDialogProps {
  run: Run;
  kind: Kind;
  onClose: () => void;
}

/** A retry is a new run. Before it starts one sees what is kept, what is done again, and what it takes. */
export function RetryDialog({ run, kind, onClose }: RetryDialogProps) {
  const group = useId();
  const [chosen, setChosen] = useState<RetryOnly | null>(null);
  const [changes, setChanges] = useState<JsonObject>({});
  const previews = useQueries({ queries: CHOICES.map((only) => retryQuery(run.id, only)) });
  const preview = (only: RetryOnly): Preview | undefined => previews[CHOICES.indexOf(only)]?.data;
  const isKnown = previews.every(({ isPending }) => !isPending);
  const only =
    chosen ?? (isKnown ? (CHOICES.find((one) => !isIdle(one, preview(one))) ?? "all") : "remaining");
  const retry = useRetry(run, onClose);
  const isNothing = isIdle(only, preview(only));
  const refusal = retry.error ?? previews.find(({ error }) => error)?.error;
  const confirm = () => {
    if (!retry.isPending && !isNothing) retry.mutate({ only, changes });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      onConfirm={confirm}
      icon={<RotateCcw aria-hidden size={19} className="shrink-0 text-text-2" />}
      title="Retry as a new run"
      actions={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button
            look="primary"
            data-autofocus
            onClick={confirm}
            disabled={retry.isPending || isNothing}
            {...(isNothing && { hint: `There is no ${kind.unit} to do.` })}
          >
            {retry.isPending ? "Starting…" : "Start retry"}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <p className="break-words normal-nums">
          {run.name} stays as it is.{only !== "all" && " The new run reuses its finished results."}
        </p>
        <fieldset className="divide-y divide-line overflow-hidden rounded-lg border border-line">
          <legend className="sr-only">What to run again</legend>
          {CHOICES.map((one) => (
            <Choice
              key={one}
              only={one}
              group={group}
              kind={kind}
              preview={preview(one)}
              isKnown={isKnown}
              isChosen={one === only}
              onChoose={() => setChosen(one)}
            />
          ))}
        </fieldset>
        <PreviewFacts preview={preview(only)} kind={kind} />
        <RetryChanges run={run} kind={kind} changes={changes} onChanges={setChanges} error={retry.error} />
        {refusal && (
          <p role="alert" className="rounded-md bg-failed-soft px-3 py-2 text-failed-text text-sm">
            {refusal.message}
          </p>
        )}
      </div>
    </Dialog>
  );
}

/** Nothing would be done; "everything" always does something. */
const isIdle = (only: RetryOnly, preview: Preview | undefined): boolean =>
  only !== "all" &&
  preview !== undefined &&
  (only === "failed" ? preview.repeated === 0 : todoOf(preview) === 0);

interface ChoiceProps {
  only: RetryOnly;
  group: string;
  kind: Kind;
  preview: Preview | undefined;
  /** The server has said of all choices what it can. */
  isKnown: boolean;
  isChosen: boolean;
  onChoose: () => void;
}

function Choice({ only, group, kind, preview, isKnown, isChosen, onChoose }: ChoiceProps) {
  const isNothing = isIdle(only, preview);
  const words = preview ? todoWords(only, preview, kind) : isKnown ? NONE : "…";
  return (
    <label
      className={cn(
        "flex min-h-10 cursor-pointer items-center gap-3 px-3 py-2 max-md:min-h-12",
        isChosen && "bg-running-soft",
        isNothing && "cursor-not-allowed opacity-50",
      )}
    >
      <input
        type="radio"
        name={group}
        checked={isChosen}
        disabled={isNothing}
        onChange={onChoose}
        className="size-4 accent-primary"
      />
      <span className="grow font-medium text-text">{NAMES[only]}</span>
      <span className="text-right text-sm">{words}</span>
    </label>
  );
}

function todoWords(only: RetryOnly, preview: Preview, kind: Kind): string {
  if (isIdle(only, preview)) return "none";
  const todo = todoOf(preview);
  if (todo === null) return only === "failed" ? `${count(preview.repeated)} and the rest` : "the rest";
  return counted(todo, kind.unit, kind.units);
}
