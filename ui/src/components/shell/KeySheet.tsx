import { Dialog } from "@/components/base/Dialog";
import { Kbd } from "@/components/base/Kbd";
import { shortcuts } from "@/lib/keys";

/** Every key that works on this page, by scope. */
export default function KeySheet({ onClose }: { onClose: () => void }) {
  const scopes = new Map<string, { keys: string; label: string }[]>();
  for (const { scope, keys, label } of shortcuts())
    scopes.set(scope, [...(scopes.get(scope) ?? []), { keys, label }]);
  return (
    <Dialog open onClose={onClose} title="Keys" wide>
      <div className="grid gap-x-10 gap-y-6 sm:grid-cols-2">
        {[...scopes].reverse().map(([scope, list]) => (
          <section key={scope}>
            <h3 className="mb-1 font-semibold text-text-3 text-xs">{scope}</h3>
            <dl className="divide-y divide-line">
              {list.map(({ keys, label }) => (
                <div key={keys} className="flex items-center justify-between gap-4 py-1.5 text-sm">
                  <dt>{label}</dt>
                  <dd>
                    <Kbd keys={keyWords(keys)} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

const keyWords = (keys: string): string => (keys === " " ? "Space" : keys.replace("mod+", "⌘/Ctrl "));
