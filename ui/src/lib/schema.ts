/** Reads the JSON Schema of a kind's params: which field is drawn how, and what it starts with. */

import type { Json, JsonObject, Schema } from "@/api/types";

export type Shape =
  | "records"
  | "table"
  | "objects"
  | "groups"
  | "strings"
  | "command"
  | "numbers"
  | "object"
  | "enum"
  | "boolean"
  | "integer"
  | "number"
  | "textarea"
  | "text"
  | "json";

export interface Resolved {
  schema: Schema;
  /** An empty field means null. */
  isNullable: boolean;
}

/** Follow `$ref`, and take "this or null" for this. Hints beside a `$ref` win over those behind it. */
export function resolve(schema: Schema, root: Schema): Resolved {
  if (schema.$ref) {
    const { $ref, ...beside } = schema;
    const behind = root.$defs?.[$ref.replace("#/$defs/", "")] ?? {};
    return resolve({ ...behind, ...beside }, root);
  }
  if (schema.allOf?.length === 1) {
    const { allOf, ...beside } = schema;
    return resolve({ ...allOf[0], ...beside }, root);
  }
  const options = schema.anyOf ?? schema.oneOf;
  const real = options?.filter((option) => option.type !== "null") ?? [];
  const only = real[0];
  if (!options || !only || real.length !== 1) return { schema, isNullable: schema.type === "null" };
  const { anyOf: _, oneOf: __, ...beside } = schema;
  return { schema: resolve({ ...only, ...beside }, root).schema, isNullable: real.length < options.length };
}

/** How a field is drawn. */
export function shapeOf(schema: Schema, root: Schema): Shape {
  const widget = schema["x-widget"];
  if (widget === "records" || widget === "groups" || widget === "textarea" || widget === "command")
    return widget;
  if (schema.format === "table") return schema.type === "string" ? "table" : "records";
  if (schema.enum) return "enum";
  switch (schema.type) {
    case "boolean":
    case "integer":
    case "number":
      return schema.type;
    case "string":
      return "text";
    case "object":
      return schema.properties ? "object" : "json";
    case "array":
      return listShape(schema.items ? resolve(schema.items, root).schema : {});
    default:
      return "json";
  }
}

function listShape(items: Schema): Shape {
  if (items.properties) return "objects";
  if (items.type === "string") return "strings";
  if (items.type === "integer" || items.type === "number") return "numbers";
  return items.type === "array" && items.items?.type === "string" ? "groups" : "json";
}

/** What a field holds before anybody touched it; undefined where the schema leaves it open. */
export function defaultOf(schema: Schema, root: Schema): Json | undefined {
  if (schema.default !== undefined) return schema.default;
  const { schema: real, isNullable } = resolve(schema, root);
  if (real.default !== undefined) return real.default;
  if (isNullable) return null;
  if (real.type === "array") return [];
  return real.properties ? defaultsOf(real, root) : undefined;
}

export function defaultsOf(schema: Schema, root: Schema): JsonObject {
  const values: JsonObject = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const value = defaultOf(property, root);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/** A field's heading. */
export const titleOf = (name: string, schema: Schema): string =>
  schema.title ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
