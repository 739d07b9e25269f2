import { Moon, Sun } from "lucide-react";
import { Button } from "@/components/base/Button";
import { changeSettings, isDark, useSettings } from "@/lib/settings";

/** Light or dark, now. Settings has "system" too. */
export function ThemeSwitch() {
  useSettings();
  const dark = isDark();
  const next = dark ? "light" : "dark";
  return (
    <Button
      look="ghost"
      className="max-md:hidden"
      aria-label={`Switch to the ${next} theme`}
      hint={`Switch to the ${next} theme`}
      icon={dark ? <Sun aria-hidden /> : <Moon aria-hidden />}
      onClick={() => changeSettings({ theme: next })}
    />
  );
}
