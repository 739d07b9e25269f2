import { request } from "@/api/client";
import type { Control, ControlAnswer, StuckReport } from "@/api/types";
import { count } from "@/lib/format";
import { askMany } from "@/live/asked";

interface Refusal {
  run_id: string;
  error: { code: string; message: string };
}

/**
 * Ask the same of several named runs. An empty list asks nothing; it never means "all".
 *
 * @param versions By run id: a run that has moved on from this version is left alone.
 */
export async function steerMany(
  ids: readonly string[],
  control: Control,
  versions: Readonly<Record<string, string>> = {},
): Promise<{ done: number; refused: Refusal[] }> {
  if (ids.length === 0) return { done: 0, refused: [] };
  const settle = askMany(ids, control);
  try {
    const { answers } = await request<{ answers: (ControlAnswer | Refusal)[] }>("/controls", {
      method: "POST",
      body: { control, run_ids: ids, ...(Object.keys(versions).length > 0 && { versions }) },
    });
    settle(answers);
    const refused = answers.filter((answer): answer is Refusal => "error" in answer);
    return { done: answers.length - refused.length, refused };
  } catch (error) {
    settle([]);
    throw error;
  }
}

const MOST_TOLD = 5;

/** Why runs were refused, each reason once; undefined when none was. */
export function refusalWords(refused: readonly Refusal[]): string | undefined {
  const reasons = [...new Set(refused.map(({ error }) => error.message))];
  const more = reasons.length - MOST_TOLD;
  return (
    [...reasons.slice(0, MOST_TOLD), ...(more > 0 ? [`And ${count(more)} more.`] : [])].join(" ") || undefined
  );
}

/** Cancel those of the named runs that are stuck at this moment, as they are now; the others woke up. */
export async function stopStuck(
  ids: readonly string[],
): Promise<{ done: number; refused: Refusal[]; woke: string[] }> {
  const { stuck } = await request<StuckReport>("/stuck");
  const versions = Object.fromEntries(
    stuck.filter(({ run }) => ids.includes(run.id)).map(({ run, version }) => [run.id, version]),
  );
  const left = ids.filter((id) => id in versions);
  const { done, refused } = await steerMany(left, "cancel", versions);
  const isMoved = ({ error }: Refusal) => error.code === "changed";
  const moved = new Set(refused.filter(isMoved).map(({ run_id }) => run_id));
  return {
    done,
    refused: refused.filter((refusal) => !isMoved(refusal)),
    woke: ids.filter((id) => !(id in versions) || moved.has(id)),
  };
}
