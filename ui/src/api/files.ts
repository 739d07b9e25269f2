/** What a run has saved, as `GET …/artifacts` lists it. */

import type { Artifact } from "@/api/types";

/** A file that a rule has removed; what it was stays known. */
export interface RemovedFile extends Artifact {
  removed_at: string;
  reason: string;
}

export interface Files {
  artifacts: Artifact[];
  removed: RemovedFile[];
}
