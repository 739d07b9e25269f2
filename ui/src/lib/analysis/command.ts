/** The same run from the command line. */

import type { Json, Run } from "@/api/types";

/** `pilothouse run benchmark -c cases=… --name …`, ready to paste into a POSIX shell. */
export function asCommand(run: Run): string {
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
