/** The same run from the command line. */

import type { Json, Run } from "@/api/types";

/** The command that a run is: `python train.py --epochs 3`; null for a run that is none. */
export function commandOf(run: Pick<Run, "kind" | "params">): string | null {
  const { command } = run.params;
  if (run.kind !== "script" || !Array.isArray(command)) return null;
  return command.map((word) => quote(String(word))).join(" ");
}

/** `pilothouse run benchmark -c cases=… --name …`, ready to paste into a POSIX shell. */
export function asCommand(run: Run): string {
  const command = commandOf(run);
  if (command !== null) return `pilothouse run --name ${quote(run.name)} -- ${command}`;
  const params = Object.entries(run.params).map(
    ([name, value]) => `  -c ${quote(`${name}=${written(value)}`)}`,
  );
  return [`pilothouse run ${run.kind} --name ${quote(run.name)}`, ...params].join(" \\\n");
}

function written(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Single quotes, unless nothing in the word means anything to a shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
