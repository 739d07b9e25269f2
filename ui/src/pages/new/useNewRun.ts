import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, request } from "@/api/client";
import { useOnce } from "@/api/once";
import { runQuery } from "@/api/queries";
import type { DryRun, Json, JsonObject, Kind, Run } from "@/api/types";
import { remember } from "@/lib/mine";
import { defaultsOf } from "@/lib/schema";
import { type Draft, dropDraft, readDraft, saveDraft } from "@/pages/new/draft";

const CHECK_MS = 500;

export interface NewRun extends Draft {
  setName: (name: string) => void;
  setParams: (params: JsonObject) => void;
  /** What the server says of the params as they are; null while it has not said. */
  checked: DryRun | null;
  errorAt: (path: string) => string | undefined;
  /** An error that belongs to no field. */
  generalError: string | null;
  touch: (path: string) => void;
  submit: () => void;
  isStarting: boolean;
  isChecking: boolean;
  /** Required fields that hold nothing. */
  missing: readonly string[];
  /** How many fields the server refuses. */
  wrong: number;
}

type Errors = readonly { field: string; message: string }[];

/** The form's state: draft, checks by the server, submit. */
export function useNewRun(kind: Kind, start: JsonObject | null): NewRun {
  const [draft, setDraft] = useState<Draft>(() => firstDraft(kind, start));
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [tried, setTried] = useState(false);
  // Nobody needs to hear that an untouched form is empty.
  const check = useCheck(kind.name, draft, tried || touched.size > 0 || isComplete(kind, draft.params));
  const navigate = useNavigate();
  const once = useOnce();

  const untouched = useRef(draft);
  useEffect(() => {
    // Whoever only looks at another run's params keeps what was typed before.
    if (draft === untouched.current) return;
    const timer = setTimeout(() => saveDraft(kind.name, draft), CHECK_MS);
    return () => clearTimeout(timer);
  }, [kind.name, draft]);

  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: () => {
      const name = draft.name.trim();
      const body = { kind: kind.name, params: draft.params, ...(name && { name }) };
      return request<Run>("/runs", { method: "POST", body, headers: once(body) });
    },
    onSuccess: (run, _, __, { client }) => {
      client.setQueryData(runQuery(run.id).queryKey, run);
      remember(run.id);
      dropDraft(kind.name);
      void navigate({ to: "/runs/$runId", params: { runId: run.id } });
    },
    onError: (refused) => {
      setTried(true);
      focusFirst(errorsOf(refused));
    },
  });

  const errors = useMemo(() => [...check.errors, ...errorsOf(error)], [check.errors, error]);
  const errorAt = useCallback(
    (path: string) => {
      const found = errors.find(
        ({ field }) => field === path || (field.startsWith(`${path}.`) && isRecordPath(field, path)),
      );
      const isShown =
        tried ||
        [...touched].some((one) => path === one || path.startsWith(`${one}.`) || one.startsWith(`${path}.`));
      return found && isShown ? found.message : undefined;
    },
    [errors, touched, tried],
  );
  /** What was refused is another one by then. */
  const change = (part: Partial<Draft>) => {
    if (error) reset();
    setDraft((before) => ({ ...before, ...part }));
  };
  const fields = new Set(Object.keys(kind.params_schema.properties ?? {}));
  const general = tried ? errors.find(({ field }) => !fields.has(field.split(".")[0] ?? "")) : undefined;

  return {
    ...draft,
    setName: (name) => change({ name }),
    setParams: (params) => change({ params }),
    checked: check.result,
    errorAt,
    generalError: general?.message ?? (tried && error && errorsOf(error).length === 0 ? error.message : null),
    touch: (path) => setTouched((before) => (before.has(path) ? before : new Set([...before, path]))),
    submit: () => {
      setTried(true);
      // An incomplete form is only checked: the messages say what is missing.
      if (!isComplete(kind, draft.params)) focusFirst(missing(kind, draft.params));
      else if (check.errors.length > 0 && !check.isChecking) focusFirst(check.errors);
      else if (!isPending) mutate();
    },
    isStarting: isPending,
    isChecking: check.isChecking,
    missing: missing(kind, draft.params).map(({ field }) => field),
    wrong: check.errors.length,
  };
}

function firstDraft(kind: Kind, start: JsonObject | null): Draft {
  const defaults = defaultsOf(kind.params_schema, kind.params_schema);
  if (start) return { name: "", params: { ...defaults, ...start } };
  return readDraft(kind.name) ?? { name: "", params: defaults };
}

/** The required fields that hold nothing. */
function missing(kind: Kind, params: JsonObject): Errors {
  const isEmpty = (value: Json | undefined) =>
    value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
  const names = (kind.params_schema.required ?? []).filter((name) => isEmpty(params[name]));
  return names.map((field) => ({ field, message: "is needed" }));
}

const isComplete = (kind: Kind, params: JsonObject): boolean => missing(kind, params).length === 0;

/** `cases.3.vote` belongs to `cases` when that is drawn as one field; `models.0.name` has a field of its own. */
const isRecordPath = (field: string, path: string): boolean =>
  typeof document === "undefined" || document.getElementById(field) === null || path.includes(".");

/** Ask the server what it thinks of the params, a moment after each change. */
function useCheck(kind: string, { params }: Draft, isWorthAsking: boolean) {
  const [result, setResult] = useState<DryRun | null>(null);
  const [errors, setErrors] = useState<Errors>([]);
  const [isChecking, setChecking] = useState(true);
  useEffect(() => {
    const aborter = new AbortController();
    setChecking(isWorthAsking);
    if (!isWorthAsking) {
      setResult(null);
      setErrors([]);
      return;
    }
    const timer = setTimeout(async () => {
      try {
        const body = { kind, params };
        const answer = await request<DryRun>("/runs?dry_run=1", {
          method: "POST",
          body,
          signal: aborter.signal,
        });
        setResult(answer);
        setErrors([]);
      } catch (error) {
        if (aborter.signal.aborted) return;
        setResult(null);
        setErrors(errorsOf(error));
      }
      setChecking(false);
    }, CHECK_MS);
    return () => {
      clearTimeout(timer);
      aborter.abort();
    };
  }, [kind, params, isWorthAsking]);
  return { result, errors, isChecking };
}

function errorsOf(error: unknown): Errors {
  if (!(error instanceof ApiError)) return [];
  if (error.errors.length > 0) return error.errors;
  if (!error.field) return [];
  return [{ field: error.field.replace(/^params\./, ""), message: error.message }];
}

/** Put the focus on the first bad field. */
function focusFirst(errors: Errors): void {
  setTimeout(() => {
    for (const { field } of errors) {
      const parts = field.split(".");
      while (parts.length > 0) {
        const path = CSS.escape(parts.join("."));
        const place = document.querySelector<HTMLElement>(`#${path}, [data-field="${parts.join(".")}"]`);
        if (place) {
          place.scrollIntoView({ block: "center" });
          (place.matches("input, textarea, select")
            ? place
            : place.querySelector<HTMLElement>("button, input")
          )?.focus();
          return;
        }
        parts.pop();
      }
    }
  }, 50);
}
