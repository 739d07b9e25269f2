import type { Json, JsonObject, Schema } from "@/api/types";
import { useForm } from "@/components/form/context";
import { GroupsField, JsonField, ListField } from "@/components/form/ListFields";
import { ObjectList } from "@/components/form/ObjectList";
import { RecordsField, TableField } from "@/components/form/RecordsField";
import { BooleanField, EnumField, NumberField, TextField } from "@/components/form/ScalarFields";
import { defaultOf, resolve, type Shape, shapeOf, titleOf } from "@/lib/schema";

export interface SchemaFieldProps {
  name: string;
  path: string;
  schema: Schema;
  value: Json | undefined;
  onChange: (value: Json) => void;
  isRequired: boolean;
}

/** Draws one property of a JSON Schema; nothing here knows any kind. */
export function SchemaField({ name, path, schema: raw, value, onChange, isRequired }: SchemaFieldProps) {
  const { root } = useForm();
  const { schema, isNullable } = resolve(raw, root);
  const shown = value === undefined ? defaultOf(raw, root) : value;
  const props = { path, schema, title: titleOf(name, schema), isRequired, isNullable };
  // biome-ignore lint/suspicious/noExplicitAny: each shape's field checks the value it is given.
  const given: any = { ...props, value: shown === null ? undefined : shown, onChange };
  const shape = shapeOf(schema, root);
  switch (shape) {
    case "records":
      return <RecordsField {...given} />;
    case "table":
      return <TableField {...given} />;
    case "objects":
      return <ObjectList {...given} />;
    case "groups":
      return <GroupsField {...given} />;
    case "strings":
    case "command":
    case "numbers":
      return <ListField {...given} look={shape} />;
    case "object":
      return <ObjectField {...given} />;
    case "enum":
      return <EnumField {...given} />;
    case "boolean":
      return <BooleanField {...given} />;
    case "integer":
    case "number":
      return <NumberField {...given} />;
    case "textarea":
      return <TextField {...given} rows={5} />;
    case "text":
      return <TextField {...given} />;
    case "json":
      return <JsonField {...given} />;
  }
}

interface ObjectFieldProps {
  path: string;
  schema: Schema;
  title: string;
  value: JsonObject | undefined;
  onChange: (value: Json) => void;
}

/** The fields of an object within an object. */
function ObjectField({ path, schema, title, value, onChange }: ObjectFieldProps) {
  return (
    <fieldset className="rounded-lg border border-line p-4">
      <legend className="px-1 font-medium text-sm">{title}</legend>
      <Properties path={path} schema={schema} value={value ?? {}} onChange={onChange} />
    </fieldset>
  );
}

export interface PropertiesProps {
  path: string;
  schema: Schema;
  value: JsonObject;
  onChange: (value: JsonObject) => void;
  /** Only these, in the schema's order. */
  only?: (name: string, schema: Schema) => boolean;
  /** One line of text takes half the width as well. */
  isDense?: boolean;
}

const NARROW: ReadonlySet<Shape> = new Set(["integer", "number", "enum", "boolean", "numbers"]);

/** Two such fields stand beside each other. */
function isNarrow(schema: Schema, root: Schema, isDense: boolean): boolean {
  const shape = shapeOf(resolve(schema, root).schema, root);
  return NARROW.has(shape) || (isDense && (shape === "text" || shape === "strings"));
}

/** All properties of an object schema. */
export function Properties({ path, schema, value, onChange, only, isDense = false }: PropertiesProps) {
  const { root } = useForm();
  const required = new Set(schema.required ?? []);
  return (
    <div className="grid gap-x-5 gap-y-6 sm:grid-cols-2">
      {Object.entries(schema.properties ?? {})
        .filter(([name, property]) => !only || only(name, property))
        .map(([name, property]) => (
          <div key={name} className={isNarrow(property, root, isDense) ? "min-w-0" : "min-w-0 sm:col-span-2"}>
            <SchemaField
              name={name}
              path={path ? `${path}.${name}` : name}
              schema={property}
              value={value[name]}
              onChange={(next) => onChange({ ...value, [name]: next })}
              isRequired={required.has(name)}
            />
          </div>
        ))}
    </div>
  );
}
