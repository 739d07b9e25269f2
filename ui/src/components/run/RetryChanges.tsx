import { ChevronRight } from "lucide-react";
import { ApiError } from "@/api/client";
import type { JsonObject, Kind, Run, Schema } from "@/api/types";
import { Form } from "@/components/form/context";
import { Properties } from "@/components/form/SchemaField";
import { count } from "@/lib/format";
import { resolve, shapeOf } from "@/lib/schema";

/** Fields that fit into a dialog. */
const SMALL = new Set(["enum", "boolean", "integer", "number", "text"]);

export interface RetryChangesProps {
  run: Run;
  kind: Kind;
  changes: JsonObject;
  onChanges: (changes: JsonObject) => void;
  error: Error | null;
}

/** The small fields of the kind's form, over the params of the old run. Only what differs is sent. */
export function RetryChanges({ run, kind, changes, onChanges, error }: RetryChangesProps) {
  const root = kind.params_schema;
  const isSmall = (_: string, schema: Schema) => SMALL.has(shapeOf(resolve(schema, root).schema, root));
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
            isDense
          />
        </Form>
      </div>
    </details>
  );
}
