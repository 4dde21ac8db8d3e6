/** The second factor: codes of an app that are asked for after the password. */
import { call } from "./http";
import type { SecondFactor, SecondFactorSetup } from "./types";

export function loadSecondFactor(): Promise<SecondFactor> {
  return call("GET", "/api/me/second-factor");
}

/** Begins to set it up. Nothing is asked for before it is confirmed. */
export function beginSecondFactor(currentPassword: string): Promise<SecondFactorSetup> {
  return call("POST", "/api/me/second-factor", { body: { current_password: currentPassword } });
}

/** Turns it on with a code of the app, and returns the recovery codes, which are shown this once. */
export async function confirmSecondFactor(code: string): Promise<string[]> {
  return (await call("POST", "/api/me/second-factor/confirm", { body: { code } })).recovery_codes;
}

/** Returns new recovery codes. The earlier ones stop working. */
export async function renewRecoveryCodes(code: string): Promise<string[]> {
  return (await call("POST", "/api/me/second-factor/codes", { body: { code } })).recovery_codes;
}

export async function turnSecondFactorOff(code: string): Promise<void> {
  await call("POST", "/api/me/second-factor/off", { body: { code } });
}
