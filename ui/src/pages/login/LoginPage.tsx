import { type FormEvent, useEffect, useRef, useState } from "react";
import { request } from "@/api/client";
import { Button } from "@/components/base/Button";
import { Copy } from "@/components/base/Copy";
import { Helm } from "@/components/shell/Brand";

/** The way in: a one-time code in the address, or the token typed by hand. */
export function LoginPage() {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const tried = useRef(false);

  const signIn = async (body: { code: string } | { token: string }) => {
    setBusy(true);
    setError(null);
    try {
      await request("/sign-in", { method: "POST", body });
      // A full load: the stream and every query begin anew, now with the cookie.
      location.replace(nextPath());
    } catch (refused) {
      setError(refused instanceof Error ? refused.message : String(refused));
      setBusy(false);
    }
  };
  const start = useRef(signIn);

  useEffect(() => {
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    if (!code || tried.current) return;
    tried.current = true;
    // The code is good once; it has no business in the history.
    history.replaceState(history.state, "", location.pathname + location.search);
    void start.current({ code });
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim()) void signIn({ token: token.trim() });
  };

  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <form
        onSubmit={submit}
        className="w-full max-w-sm space-y-5 rounded-xl border border-line bg-card p-6 shadow-card md:p-8"
      >
        <div className="flex items-center gap-2.5 text-primary">
          <Helm size={28} />
          <h1 className="font-semibold text-text text-xl">Sign in to Pilothouse</h1>
        </div>
        <div className="space-y-2 text-sm text-text-2">
          <p>Get a link that signs this browser in:</p>
          <p className="flex items-center justify-between rounded-md border border-line bg-surface py-1 pr-1 pl-3 font-mono text-text">
            pilothouse open
            <Copy text="pilothouse open" />
          </p>
        </div>
        <label className="block space-y-1.5">
          <span className="font-medium text-sm">Or paste the token</span>
          <input
            type="password"
            autoComplete="off"
            value={token}
            onChange={(event) => setToken(event.target.value)}
            aria-invalid={error !== null}
            aria-describedby="sign-in-note"
            className="field"
          />
          <span id="sign-in-note" className="block text-text-3 text-xs">
            It stands in the file <code className="font-mono">token</code> of the data folder.
          </span>
        </label>
        {error && (
          <p role="alert" className="text-fail text-sm">
            {error}
          </p>
        )}
        <Button type="submit" look="primary" size="lg" className="w-full" disabled={isBusy || !token.trim()}>
          {isBusy ? "Signing in…" : "Sign in"}
        </Button>
      </form>
    </main>
  );
}

function nextPath(): string {
  const next = new URLSearchParams(location.search).get("next") ?? "/";
  const url = new URL(next, location.origin);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : "/";
}
