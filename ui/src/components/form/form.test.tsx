import { render, screen, within } from "@testing-library/react";
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
    table: { type: "string", title: "Table", format: "table" },
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

/** The test's browser cannot read files by itself. */
const aFile = (name: string, text: string): File =>
  Object.assign(new File([text], name), { text: async () => text });

function Host({ errors = {}, schema = ROOT }: { errors?: Record<string, string>; schema?: Schema }) {
  const [value, setValue] = useState(() => defaultsOf(schema, schema));
  params = value;
  return (
    <TooltipProvider>
      <Form value={{ root: schema, errorAt: (path) => errors[path], onBlur: () => {} }}>
        <Properties path="" schema={schema} value={value} onChange={setValue} />
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

  it.each([
    ["1,5", 1.5],
    ["0,125", 0.125],
    ["1e3", 1000],
    ["1,000", "1,000"],
    ["12,500,000", "12,500,000"],
  ])("takes %s for %j: a comma that may part thousands is for the server to refuse", async (typed, meant) => {
    render(<Host />);

    await userEvent.click(screen.getByLabelText("Budget"));
    await userEvent.paste(typed);

    expect(params.budget).toBe(meant);
  });

  it("keeps commas within words, reads a command as a terminal does, and numbers as numbers", async () => {
    const schema: Schema = {
      type: "object",
      properties: {
        words: { type: "array", items: { type: "string" }, default: ["Hello, you", "Bye"], title: "Prompts" },
        command: { type: "array", items: { type: "string" }, "x-widget": "command", title: "Command" },
        levels: { type: "array", items: { type: "integer" }, default: [1, 4], title: "Levels" },
        about: { type: "object", default: {}, title: "About", description: "What `ph.run` gives." },
      },
    };
    render(<Host schema={schema} />);
    expect(screen.getByLabelText("Prompts")).toHaveValue("Hello, you\nBye");
    expect(screen.getByLabelText("Levels")).toHaveValue("1, 4");
    expect(screen.getByLabelText("About")).toHaveValue("");
    expect(screen.getByText("ph.run").tagName).toBe("CODE");

    await userEvent.type(screen.getByLabelText("Prompts"), "e, then");
    await userEvent.type(screen.getByLabelText("Command"), 'python -c "print(1, 2)"');
    await userEvent.type(screen.getByLabelText("Levels"), ", 8");

    expect(params).toMatchObject({
      words: ["Hello, you", "Byee, then"],
      command: ["python", "-c", "print(1, 2)"],
      levels: [1, 4, 8],
    });
  });

  it("adds an object to a list with the defaults that its schema has", async () => {
    render(<Host />);

    await userEvent.click(screen.getByRole("button", { name: "Add to Models" }));
    await userEvent.type(screen.getByLabelText(/Name/), "qwen");

    expect(params.models).toEqual([{ name: "qwen", url: "offline" }]);
  });

  it("takes pasted records and names the first bad line", async () => {
    render(<Host />);

    await userEvent.click(screen.getAllByRole("button", { name: "Paste" })[0] as HTMLElement);
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

  it("shows what the columns of a file hold, and keeps a table that is text as it is", async () => {
    render(<Host />);
    const csv = `age,city\n${Array.from({ length: 30 }, (_, row) => `${row},${row % 3 ? "Bern" : ""}`).join("\n")}\n`;

    await userEvent.upload(screen.getByLabelText("File of Table"), aFile("people.csv", csv));

    const preview = await screen.findByRole("region", { name: "Preview" });
    expect(params.table).toBe(csv);
    expect(preview).toHaveTextContent("ageinteger");
    expect(preview).toHaveTextContent("citycategory of 1 · 33 % missing");
    expect(within(preview).getAllByRole("row")).toHaveLength(21);
    expect(screen.getByText(/first 20 of 30 rows · 2 columns · 1 KB of 256 KB/)).toBeVisible();
  });

  it("refuses more than a run may carry, says the way out, and takes the part that fits", async () => {
    render(<Host />);
    const lines = Array.from({ length: 4_000 }, (_, id) => JSON.stringify({ id, text: "x".repeat(90) }));

    await userEvent.upload(screen.getByLabelText("File of Cases"), aFile("big.jsonl", lines.join("\n")));

    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("big.jsonl has 4,000 rows");
    expect(alert).toHaveTextContent("At most 256 KB travel with a run");
    expect(params.cases).toEqual([]);

    await userEvent.click(within(alert).getByRole("button", { name: /^Use the first/ }));
    expect((params.cases as JsonObject[]).length).toBeGreaterThan(2_000);
    expect(JSON.stringify(params).length).toBeLessThan(256 * 1024);
  });

  it("says what is wrong under the field and ties it to it", () => {
    render(<Host errors={{ budget: "must be more than 0" }} />);

    expect(screen.getByLabelText("Budget")).toHaveAccessibleDescription("Must be more than 0");
  });
});
