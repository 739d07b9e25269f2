import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { Toaster, toast } from "sonner";
import { alarm } from "@/lib/announce";
import { isDark, useSettings } from "@/lib/settings";
import { type Kept, type Level, onNotice } from "@/live/notices";

const MS = 5000;

/** At most three; one subject has one toast, and a newer one takes its place. */
export default function Toasts({ first }: { first: readonly Kept[] }) {
  useSettings();
  const navigate = useNavigate();
  useEffect(() => {
    const go = (to: string) => void navigate({ to });
    for (const notice of first) speak(notice, go);
    return onNotice((notice) => speak(notice, go));
  }, [first, navigate]);
  const isPhone = matchMedia("(max-width: 767px)").matches;
  return (
    <Toaster
      theme={isDark() ? "dark" : "light"}
      position={isPhone ? "top-center" : "bottom-right"}
      visibleToasts={3}
      closeButton
      toastOptions={{ className: "pilothouse-toast" }}
    />
  );
}

const SHOW = { error: toast.error, success: toast.success, info: toast } satisfies Record<Level, unknown>;

function speak({ level, text, times, key, detail, action }: Kept, go: (to: string) => void): void {
  if (level === "error") alarm(text);
  const act = action && (() => (action.run ? action.run() : action.to && go(action.to)));
  SHOW[level](times > 1 ? `${text} × ${times}` : text, {
    id: key,
    description: detail,
    duration: level === "error" ? Number.POSITIVE_INFINITY : MS,
    ...(action && act && { action: { label: action.label, onClick: act } }),
  });
}
