import { type ReactNode, useEffect, useId, useMemo, useRef } from "react";
import { cn } from "@/lib/cn";
import { focusBack } from "@/lib/focus";
import { swipes } from "@/lib/swipe";

export interface DialogProps {
  open: boolean;
  /** Esc, a click outside, and what the safe button should call. */
  onClose: () => void;
  title: ReactNode;
  icon?: ReactNode;
  children: ReactNode;
  /** Buttons. Give the safe one `data-autofocus`; on phones the last one stands on top. */
  actions?: ReactNode;
  /** ⌘↵ */
  onConfirm?: () => void;
  wide?: boolean;
  /** No frame of its own: the title is for screen readers, the children fill the dialog. */
  bare?: boolean;
}

/** What had the focus; of a menu, which closes, the button that opened it. */
function openerOf(element: Element | null): Element | null {
  const button = element?.closest("[role=menu]")?.getAttribute("aria-labelledby");
  return button ? document.getElementById(button) : element;
}

/** A native dialog: focus on the safe button, Esc is safe; on phones a bottom sheet that a finger sends away. */
export function Dialog({
  open,
  onClose,
  title,
  icon,
  children,
  actions,
  onConfirm,
  wide = false,
  bare = false,
}: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const dialog = ref.current;
    if (!dialog || !open) return;
    const opener = openerOf(document.activeElement);
    dialog.showModal?.();
    (dialog.querySelector<HTMLElement>("[data-autofocus]") ?? dialog).focus();
    return () => {
      dialog.close?.();
      focusBack(opener);
    };
  }, [open]);

  const latest = useRef(onClose);
  latest.current = onClose;
  const swiping = useMemo(() => swipes((way) => way === "down" && latest.current()), []);

  if (!open) return null;
  return (
    <dialog
      ref={ref}
      {...swiping}
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-body`}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === ref.current && onClose()}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") onClose();
        if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) onConfirm?.();
      }}
      className={cn(
        "fixed m-auto outline-none w-[calc(100%-2rem)] rounded-xl border border-line bg-card p-0 shadow-pop",
        "max-md:mb-0 max-md:w-full max-md:max-w-none max-md:rounded-b-none max-md:pb-[env(safe-area-inset-bottom)]",
        wide ? "md:max-w-3xl" : "md:max-w-md",
      )}
    >
      {bare ? (
        <div id={`${id}-body`}>
          <h2 id={`${id}-title`} className="sr-only">
            {title}
          </h2>
          {children}
        </div>
      ) : (
        <div className="flex max-h-[85dvh] flex-col gap-4 p-5 md:p-6">
          <div aria-hidden className="mx-auto -mt-2 h-1 w-9 rounded-full bg-line-strong md:hidden" />
          <h2 id={`${id}-title`} className="flex items-center gap-2 font-semibold text-lg">
            {icon}
            {title}
          </h2>
          <div id={`${id}-body`} className="min-h-0 overflow-y-auto text-base text-text-2">
            {children}
          </div>
          {actions && (
            <div className="flex justify-end gap-2 max-md:flex-col-reverse max-md:gap-4 max-md:[&>button]:w-full">
              {actions}
            </div>
          )}
        </div>
      )}
    </dialog>
  );
}
