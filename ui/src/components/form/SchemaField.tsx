import type { Json, JsonObject, Schema } from "@/api/types";
import { useForm } from "@/components/form/context";
import { GroupsField, JsonField, StringsField } from "@/components/form/ListFields";
import { ObjectList } from "@/components/form/ObjectList";
import { RecordsField } from "@/components/form/RecordsField";
import { BooleanField, EnumField, NumberField, TextField } from "@/components/form/ScalarFields";
import { defaultOf, resolve, shapeOf, titleOf } from "@/lib/schema";

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
  switch (shapeOf(schema, root)) {
    case "records":
      return <RecordsField {...given} />;
    case "objects":
      return <ObjectList {...given} />;
    case "groups":
      return <GroupsField {...given} />;
    case "strings":
      return <StringsField {...given} />;
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
  className?: string;
}

/** All properties of an object schema. */
export function Properties({ path, schema, value, onChange, only, className }: PropertiesProps) {
  const required = new Set(schema.required ?? []);
  return (
    <div className={className ?? "space-y-5"}>
      {Object.entries(schema.properties ?? {})
        .filter(([name, property]) => !only || only(name, property))
        .map(([name, property]) => (
          <SchemaField
            key={name}
            name={name}
            path={path ? `${path}.${name}` : name}
            schema={property}
            value={value[name]}
            onChange={(next) => onChange({ ...value, [name]: next })}
            isRequired={required.has(name)}
          />
        ))}
    </div>
  );
}
