import { Check, Copy as CopyIcon } from "lucide-react";
import { useState } from "react";
import { Button, type ButtonProps } from "@/components/base/Button";
import { copied } from "@/lib/clipboard";

const WORDS = { copied: "Copied", refused: "Not copied" };

/** Copies `text` and says so for two seconds. */
export function Copy({ text, children, ...rest }: { text: string } & ButtonProps) {
  const [state, setState] = useState<keyof typeof WORDS | null>(null);
  const copy = async () => {
    setState((await copied(text)) ? "copied" : "refused");
    setTimeout(() => setState(null), 2000);
  };
  const word = state && WORDS[state];
  return (
    <Button
      size="sm"
      look="ghost"
      icon={state === "copied" ? <Check aria-hidden /> : <CopyIcon aria-hidden />}
      aria-label={children ? undefined : (word ?? "Copy")}
      {...rest}
      onClick={copy}
    >
      {children && (word ?? children)}
    </Button>
  );
}
