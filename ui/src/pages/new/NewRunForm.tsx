import { ChevronRight, Play } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useMemo } from "react";
import type { JsonObject, Kind, Schema } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Card } from "@/components/base/Card";
import { Form, type FormContext } from "@/components/form/context";
import { FieldFrame, useFieldProps } from "@/components/form/FieldFrame";
import { Properties } from "@/components/form/SchemaField";
import { defaultsOf, titleOf } from "@/lib/schema";
import { capital, within } from "@/lib/status";
import { Forecast, useHasRoom } from "@/pages/new/Forecast";
import { MissingExtra } from "@/pages/new/MissingExtra";
import { type NewRun, useNewRun } from "@/pages/new/useNewRun";

const ADVANCED = "advanced";

/** The form of one kind, drawn from its schema. */
export function NewRunForm({ kind, start }: { kind: Kind; start: JsonObject | null }) {
  const form = useNewRun(kind, start);
  const root = kind.params_schema;
  const hasRoom = useHasRoom();
  const { errorAt, touch } = form;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `touch` only marks a field.
  const context = useMemo<FormContext>(() => ({ root, errorAt, onBlur: touch }), [root, errorAt]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    form.submit();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.submit();
  };
  return (
    <Form value={context}>
      <form
        onSubmit={submit}
        onKeyDown={onKeyDown}
        noValidate
        className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]"
      >
        <Card>
          <div className="space-y-6">
            <MissingExtra kind={kind} />
            {kind.examples.length > 0 && <Presets kind={kind} onPick={form.setParams} />}
            <NameField form={form} placeholder={`${kind.name}-…`} />
            <Properties
              path=""
              schema={root}
              value={form.params}
              onChange={form.setParams}
              only={(_, schema) => schema["x-group"] === undefined}
            />
            {groupsOf(root).map((group) => (
              <Group key={group} name={group} form={form} root={root} />
            ))}
            {form.generalError && (
              <p role="alert" className="rounded-md bg-failed-soft px-3 py-2 text-failed-text text-sm">
                {form.generalError}
              </p>
            )}
          </div>
        </Card>
        <div className="space-y-3 lg:sticky lg:top-[calc(var(--bar)+1.5rem)]">
          <Forecast kind={kind} form={form} />
          <Button
            type="submit"
            look="primary"
            size="lg"
            className="w-full"
            icon={<Play aria-hidden />}
            disabled={form.isStarting}
            shortcut="⌘ ↵"
            hint={hasRoom === false ? "All slots are busy: it waits in line." : "Start this run"}
          >
            {form.isStarting ? "Starting…" : hasRoom === false ? "Add to queue" : "Start run"}
          </Button>
        </div>
      </form>
    </Form>
  );
}

function Presets({ kind, onPick }: { kind: Kind; onPick: (params: JsonObject) => void }) {
  const usual = defaultsOf(kind.params_schema, kind.params_schema);
  return (
    <div className="flex flex-wrap items-center gap-2">
      <span className="text-sm text-text-2">Begin with</span>
      {kind.examples.map((example) => (
        <Button key={example.name} size="sm" onClick={() => onPick({ ...usual, ...example.params })}>
          {example.title}
        </Button>
      ))}
      <Button size="sm" look="ghost" onClick={() => onPick(usual)}>
        Empty
      </Button>
    </div>
  );
}

function NameField({ form, placeholder }: { form: NewRun; placeholder: string }) {
  const input = useFieldProps("name");
  return (
    <FieldFrame path="name" title="Name">
      <input
        {...input}
        value={form.name}
        placeholder={placeholder}
        maxLength={200}
        onChange={(event) => form.setName(event.target.value)}
        className="field"
      />
    </FieldFrame>
  );
}

/** Fields of one group, folded, with their values in the heading. */
function Group({ name: group, form, root }: { name: string; form: NewRun; root: Schema }) {
  const fields = Object.entries(root.properties ?? {}).filter(([, schema]) => schema["x-group"] === group);
  const hasError = fields.some(([name]) => form.errorAt(name));
  const values = fields.flatMap(([name, schema]) => {
    const value = form.params[name];
    return value === null || value === undefined || value === false || typeof value === "object"
      ? []
      : [`${within(titleOf(name, schema))} ${value === true ? "on" : value}`];
  });
  return (
    <details open={hasError || undefined} className="group rounded-lg border border-line">
      <summary className="flex min-h-11 list-none items-center gap-2 px-4 text-sm hover:bg-hover">
        <ChevronRight
          aria-hidden
          size={16}
          className="shrink-0 text-text-3 transition-transform group-open:rotate-90"
        />
        <span className="font-medium">{capital(group)}</span>
        <span className="min-w-0 truncate text-text-3 text-xs group-open:hidden">{values.join(" · ")}</span>
      </summary>
      <div className="border-line border-t p-4">
        <Properties
          path=""
          schema={root}
          value={form.params}
          onChange={form.setParams}
          only={(_, schema) => schema["x-group"] === group}
          isDense
        />
      </div>
    </details>
  );
}

/** The groups of a schema in its order, the advanced fields last. */
function groupsOf(root: Schema): string[] {
  const named = Object.values(root.properties ?? {}).flatMap((schema) => schema["x-group"] ?? []);
  return [...new Set(named)].sort((a, b) => Number(a === ADVANCED) - Number(b === ADVANCED));
}
