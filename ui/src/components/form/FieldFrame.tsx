import type { ReactNode } from "react";
import { useForm } from "@/components/form/context";
import { cn } from "@/lib/cn";

export interface FieldFrameProps {
  path: string;
  title: string;
  description?: string | undefined;
  isRequired?: boolean;
  /** Beside the title, at the right. */
  actions?: ReactNode;
  /** A group of fields has its errors at the fields. */
  isGroup?: boolean;
  children: ReactNode;
  className?: string;
}

/** A field's label, its explanation, and what is wrong with it. */
export function FieldFrame(props: FieldFrameProps) {
  const {
    path,
    title,
    description,
    isRequired = false,
    actions,
    isGroup = false,
    children,
    className,
  } = props;
  const error = useForm().errorAt(path);
  const Heading = path.includes(".") ? "h3" : "h2";
  const heading = (
    <>
      {title}
      {isRequired && (
        <span title="Required" className="text-fail">
          {" "}
          *
        </span>
      )}
    </>
  );
  return (
    <div data-field={path} className={cn("min-w-0 space-y-1.5", className)}>
      <div className="flex min-h-6 flex-wrap items-center gap-2">
        {isGroup ? (
          <Heading className="grow font-medium text-sm">{heading}</Heading>
        ) : (
          <label htmlFor={path} className="grow font-medium text-sm">
            {heading}
          </label>
        )}
        {actions}
      </div>
      {isGroup && description && (
        <p className="-mt-1 text-text-3 text-xs">
          <Prose>{description}</Prose>
        </p>
      )}
      {children}
      {error && (
        <p id={`${path}-error`} role="alert" className="text-fail text-xs">
          {error.charAt(0).toUpperCase() + error.slice(1)}
        </p>
      )}
      {!isGroup && description && !error && (
        <p id={`${path}-about`} className="text-text-3 text-xs">
          <Prose>{description}</Prose>
        </p>
      )}
    </div>
  );
}

/** A sentence of a schema, with what stands between backticks as code. */
export function Prose({ children }: { children: string }) {
  return children.split(/`([^`]+)`/).map((part, index) => {
    if (index % 2 === 0) return part;
    return (
      <code key={part} className="font-mono text-text-2">
        {part}
      </code>
    );
  });
}

/** What ties an input to its label, its explanation and its error. */
export function useFieldProps(path: string) {
  const { errorAt, onBlur } = useForm();
  const error = errorAt(path);
  return {
    id: path,
    "aria-invalid": error !== undefined,
    "aria-describedby": error ? `${path}-error` : `${path}-about`,
    onBlur: () => onBlur(path),
  };
}
