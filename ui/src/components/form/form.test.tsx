import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import type { JsonObject, Schema } from "@/api/types";
import { TooltipProvider } from "@/components/base/Tooltip";
import { Form } from "@/components/form/context";
import { Properties } from "@/components/form/SchemaField";
import { defaultsOf } from "@/lib/schema";

const ROOT: Schema = {
  $defs: {
    Model: {
      type: "object",
      required: ["name"],
      properties: {
        name: { type: "string", title: "Name" },
        url: { type: "string", title: "URL", default: "offline" },
      },
    },
  },
  type: "object",
  required: ["models", "cases"],
  properties: {
    models: { type: "array", title: "Models", items: { $ref: "#/$defs/Model" } },
    cases: {
      type: "array",
      title: "Cases",
      items: { type: "object", properties: {} },
      "x-widget": "records",
    },
    budget: { anyOf: [{ type: "number" }, { type: "null" }], default: null, title: "Budget" },
    format: { enum: ["marker", "json"], default: "marker", title: "Format" },
    early: { type: "boolean", default: false, title: "Stop early" },
    equal: {
      type: "array",
      items: { type: "array", items: { type: "string" } },
      default: [],
      title: "Equal",
    },
  },
};

let params: JsonObject = {};

function Host({ errors = {} }: { errors?: Record<string, string> }) {
  const [value, setValue] = useState(() => defaultsOf(ROOT, ROOT));
  params = value;
  return (
    <TooltipProvider>
      <Form value={{ root: ROOT, errorAt: (path) => errors[path], onBlur: () => {} }}>
        <Properties path="" schema={ROOT} value={value} onChange={setValue} />
      </Form>
    </TooltipProvider>
  );
}

describe("a form from a schema", () => {
  it("fills the params as they are typed, and an empty nullable number is null", async () => {
    render(<Host />);

    await userEvent.type(screen.getByLabelText("Budget"), "1.50");
    await userEvent.selectOptions(screen.getByLabelText("Format"), "json");
    await userEvent.click(screen.getByLabelText("Stop early"));
    await userEvent.type(screen.getByLabelText("Equal"), "A, B\nC");
    expect(params).toMatchObject({ budget: 1.5, format: "json", early: true, equal: [["A", "B"], ["C"]] });

    await userEvent.clear(screen.getByLabelText("Budget"));
    expect(params.budget).toBeNull();
  });

  it("adds an object to a list with the defaults that its schema has", async () => {
    render(<Host />);

    await userEvent.click(screen.getByRole("button", { name: "Add to Models" }));
    await userEvent.type(screen.getByLabelText(/Name/), "qwen");

    expect(params.models).toEqual([{ name: "qwen", url: "offline" }]);
  });

  it("takes pasted records and names the first bad line", async () => {
    render(<Host />);

    await userEvent.click(screen.getByRole("button", { name: "Paste" }));
    await userEvent.click(screen.getByLabelText(/as JSONL/));
    await userEvent.paste('{"id":1}\n{oops');
    await userEvent.click(screen.getByRole("button", { name: "Use these" }));
    expect(screen.getByRole("alert")).toHaveTextContent("line 2");

    await userEvent.clear(screen.getByLabelText(/as JSONL/));
    await userEvent.paste("id,vote\na,REAL\nb,FALSE\n");
    await userEvent.click(screen.getByRole("button", { name: "Use these" }));
    expect(params.cases).toEqual([
      { id: "a", vote: "REAL" },
      { id: "b", vote: "FALSE" },
    ]);
  });

  it("says what is wrong under the field and ties it to it", () => {
    render(<Host errors={{ budget: "must be more than 0" }} />);

    expect(screen.getByLabelText("Budget")).toHaveAccessibleDescription("Must be more than 0");
  });
});
