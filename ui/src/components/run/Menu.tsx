import { DropdownMenu } from "radix-ui";
import type { ReactElement, ReactNode } from "react";

const ENTRY =
  "flex w-full cursor-pointer select-none items-center gap-2 rounded-md px-2.5 py-1.5 text-left text-sm outline-none data-[disabled]:cursor-not-allowed data-[highlighted]:bg-hover data-[disabled]:opacity-50 max-md:min-h-11";

export interface MenuProps {
  trigger: ReactElement;
  children: ReactNode;
  onOpenChange?: (isOpen: boolean) => void;
}

/** A menu below its button. */
export function Menu({ trigger, children, onOpenChange }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false} {...(onOpenChange ? { onOpenChange } : {})}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-52 overflow-y-auto rounded-lg border border-line-strong bg-card p-1 shadow-pop"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export interface MenuEntryProps {
  children: ReactNode;
  onSelect: () => void;
  disabled?: boolean;
  /** A second, quieter text at the right. */
  note?: ReactNode;
}

export function MenuEntry({ children, onSelect, disabled = false, note }: MenuEntryProps) {
  return (
    <DropdownMenu.Item disabled={disabled} onSelect={onSelect} className={ENTRY}>
      <span className="grow">{children}</span>
      {note && <span className="text-text-3 text-xs">{note}</span>}
    </DropdownMenu.Item>
  );
}

export function MenuLink({ children, href, note }: { children: ReactNode; href: string; note?: ReactNode }) {
  return (
    <DropdownMenu.Item asChild>
      <a href={href} download className={ENTRY}>
        <span className="grow">{children}</span>
        {note && <span className="text-text-3 text-xs">{note}</span>}
      </a>
    </DropdownMenu.Item>
  );
}

export interface MenuCheckProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
}

/** Stays open, so that several can be ticked. */
export function MenuCheck({ checked, onChange, children }: MenuCheckProps) {
  return (
    <DropdownMenu.CheckboxItem
      checked={checked}
      onCheckedChange={onChange}
      onSelect={(event) => event.preventDefault()}
      className={ENTRY}
    >
      <span aria-hidden className="w-4 text-primary">
        {checked && "✓"}
      </span>
      {children}
    </DropdownMenu.CheckboxItem>
  );
}

export function MenuTitle({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2.5 pt-2 pb-1 text-text-3 text-xs">{children}</DropdownMenu.Label>;
}
