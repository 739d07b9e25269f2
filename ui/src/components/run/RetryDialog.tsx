import { useMutation, useQueries } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronRight, RotateCcw } from "lucide-react";
import { useId, useState } from "react";
import { ApiError, request } from "@/api/client";
import { retryPath, retryQuery } from "@/api/queries";
import type { JsonObject, Kind, Preview, RetryOnly, Run } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { Form } from "@/components/form/context";
import { Properties } from "@/components/form/SchemaField";
import { PreviewFacts } from "@/components/run/PreviewFacts";
import { cn } from "@/lib/cn";
import { count, counted } from "@/lib/format";
import { remember } from "@/lib/mine";
import { todoOf } from "@/lib/preview";
import { resolve, shapeOf } from "@/lib/schema";

const CHOICES = ["remaining", "failed", "all"] as const satisfies readonly RetryOnly[];
const NAMES = {
  remaining: "Retry remaining",
  failed: "Retry failed",
  all: "Run everything again",
} satisfies Record<RetryOnly, string>;
/** Fields that fit into a dialog. */
const SMALL = new Set(["enum", "boolean", "integer", "number", "text"]);

export interface RetryDialogProps {
  run: Run;
  kind: Kind;
  onClose: () => void;
}

/** A retry is a new run. Before it starts one sees what is kept, what is done again, and what it takes. */
export function RetryDialog({ run, kind, onClose }: RetryDialogProps) {
  const navigate = useNavigate();
  const group = useId();
  const [chosen, setChosen] = useState<RetryOnly | null>(null);
  const [changes, setChanges] = useState<JsonObject>({});
  const previews = useQueries({ queries: CHOICES.map((only) => retryQuery(run.id, only)) });
  const preview = (only: RetryOnly): Preview | undefined => previews[CHOICES.indexOf(only)]?.data;
  const isKnown = previews.every(({ data, isError }) => data !== undefined || isError);
  const only =
    chosen ?? (isKnown ? (CHOICES.find((one) => !isIdle(one, preview(one))) ?? "all") : "remaining");
  const retry = useMutation({
    mutationFn: () =>
      request<Run>(retryPath(run.id), {
        method: "POST",
        body: { only, ...(Object.keys(changes).length > 0 && { set: changes }) },
      }),
    onSuccess: (made) => {
      remember(made.id);
      onClose();
      void navigate({ to: `/runs/${made.id}` });
    },
  });
  const isNothing = isIdle(only, preview(only));
  const confirm = () => {
    if (!retry.isPending && !isNothing) retry.mutate();
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
          {run.name} stays as it is. The new run reuses its finished results.
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
              isChosen={one === only}
              onChoose={() => setChosen(one)}
            />
          ))}
        </fieldset>
        <PreviewFacts preview={preview(only)} kind={kind} />
        <Changes run={run} kind={kind} changes={changes} onChanges={setChanges} error={retry.error} />
        {retry.error && (
          <p role="alert" className="rounded-md bg-failed-soft px-3 py-2 text-failed-text text-sm">
            {retry.error.message}
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
  isChosen: boolean;
  onChoose: () => void;
}

function Choice({ only, group, kind, preview, isChosen, onChoose }: ChoiceProps) {
  const isNothing = isIdle(only, preview);
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
      <span className="text-right text-sm">{preview ? todoWords(only, preview, kind) : "…"}</span>
    </label>
  );
}

function todoWords(only: RetryOnly, preview: Preview, kind: Kind): string {
  if (isIdle(only, preview)) return "none";
  const todo = todoOf(preview);
  if (todo === null) return only === "failed" ? `${count(preview.repeated)} and the rest` : "the rest";
  return counted(todo, kind.unit, kind.units);
}

interface ChangesProps {
  run: Run;
  kind: Kind;
  changes: JsonObject;
  onChanges: (changes: JsonObject) => void;
  error: Error | null;
}

/** The small fields of the kind's form, over the params of the old run. Only what differs is sent. */
function Changes({ run, kind, changes, onChanges, error }: ChangesProps) {
  const root = kind.params_schema;
  const isSmall = (_: string, schema: Parameters<typeof resolve>[0]) =>
    SMALL.has(shapeOf(resolve(schema, root).schema, root));
  if (!Object.entries(root.properties ?? {}).some(([name, schema]) => isSmall(name, schema))) return null;
  const refused = error instanceof ApiError ? error.errors : [];
  const errorAt = (path: string) => refused.find(({ field }) => field === path)?.message;
  const onChange = (values: JsonObject) =>
    onChanges(
      Object.fromEntries(
        Object.entries(values).filter(
          ([name, value]) => JSON.stringify(value) !== JSON.stringify(run.params[name]),
        ),
      ),
    );
  const changed = Object.keys(changes).length;
  return (
    <details className="group rounded-lg border border-line">
      <summary className="flex min-h-10 items-center gap-2 px-3 font-medium text-sm text-text">
        <ChevronRight aria-hidden size={15} className="transition-transform group-open:rotate-90" />
        Change settings
        {changed > 0 && <span className="font-normal text-running-text">{count(changed)} changed</span>}
      </summary>
      <div className="border-line border-t p-3">
        <Form value={{ root, errorAt, onBlur: () => {} }}>
          <Properties
            path=""
            schema={root}
            value={{ ...run.params, ...changes }}
            onChange={onChange}
            only={isSmall}
            className="space-y-4"
          />
        </Form>
      </div>
    </details>
  );
}
