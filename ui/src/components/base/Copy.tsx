import { Check, Copy as CopyIcon } from "lucide-react";
import { useState } from "react";
import { Button, type ButtonProps } from "@/components/base/Button";

/** Copies `text` and says so for two seconds. */
export function Copy({ text, children, ...rest }: { text: string } & ButtonProps) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <Button
      size="sm"
      look="ghost"
      icon={copied ? <Check aria-hidden /> : <CopyIcon aria-hidden />}
      aria-label={children ? undefined : copied ? "Copied" : "Copy"}
      {...rest}
      onClick={copy}
    >
      {children && (copied ? "Copied" : children)}
    </Button>
  );
}
