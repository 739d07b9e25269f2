import type { RunSteering } from "@/components/run/useSteering";
import type { Action } from "@/lib/analysis/actions";
import { copied } from "@/lib/clipboard";
import { useShortcuts } from "@/lib/keys";
import type { RunUrl, Tab } from "@/pages/run/useRunUrl";

export interface RunKeys {
  url: RunUrl;
  tabs: readonly Tab[];
  steering: RunSteering;
  onFreeze: () => void;
  onFold: () => void;
  onNextError: () => void;
}

/** The keys of the run page. Those that cannot be used now do nothing: the button says why. */
export function useRunKeys({ url, tabs, steering, onFreeze, onFold, onNextError }: RunKeys): void {
  const actOnFirst = (wanted: ReadonlySet<Action>) => {
    const first = steering.offers.find(({ action, blocked }) => blocked === null && wanted.has(action));
    if (first) steering.act(first.action);
  };
  useShortcuts("Run", [
    { keys: "p", label: "Pause or resume", run: () => actOnFirst(PAUSES) },
    { keys: "x", label: "Cancel", run: () => actOnFirst(ENDS) },
    { keys: "r", label: "Retry", run: () => steering.act("retry") },
    { keys: "f", label: "Freeze or release the view", run: onFreeze },
    { keys: "[", label: "Fold the activity", run: onFold },
    { keys: ".", label: "Show new results", run: () => press("show-new") },
    { keys: "e", label: "Next error", run: onNextError },
    { keys: "/", label: "Filter", run: () => press("search") },
    {
      keys: "y",
      label: "Copy link to this view",
      run: () => void copied(location.href),
    },
    ...NUMBERS.map((keys, index) => ({
      keys,
      label: `Tab ${keys}`,
      run: () => {
        const tab = tabs[index];
        if (tab !== undefined) url.onTab(tab);
      },
    })),
  ]);
}

const PAUSES: ReadonlySet<Action> = new Set<Action>(["pause", "resume", "undo-pause"]);
const ENDS: ReadonlySet<Action> = new Set<Action>(["cancel", "force"]);
const NUMBERS = ["1", "2", "3", "4", "5", "6", "7", "8"] as const;

/** Act on what carries this name on the page, if it is there. */
function press(name: string): void {
  const element = document.querySelector<HTMLElement>(`[data-shortcut=${name}]`);
  if (element instanceof HTMLInputElement) element.focus();
  else element?.click();
}
