import { request } from "@/api/client";
import type { Control, ControlAnswer } from "@/api/types";
import { askMany } from "@/live/asked";

interface Refusal {
  run_id: string;
  error: { message: string };
}

/** Ask the same of several named runs. An empty list asks nothing; it never means "all". */
export async function steerMany(
  ids: readonly string[],
  control: Control,
): Promise<{ done: number; refused: Refusal[] }> {
  if (ids.length === 0) return { done: 0, refused: [] };
  const settle = askMany(ids, control);
  try {
    const { answers } = await request<{ answers: (ControlAnswer | Refusal)[] }>("/controls", {
      method: "POST",
      body: { control, run_ids: ids },
    });
    settle(answers);
    const refused = answers.filter((answer): answer is Refusal => "error" in answer);
    return { done: answers.length - refused.length, refused };
  } catch (error) {
    settle([]);
    throw error;
  }
}
