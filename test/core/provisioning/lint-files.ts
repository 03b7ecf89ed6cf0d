/** The findings of one account of which only the lines that matter are given. */
import { faults, reading } from "./samples.ts";

export const yealink = (...lines: string[]): string[] =>
  faults(
    reading(
      [
        "#!version:1.0.0.1",
        "account.1.enable = 1",
        "account.1.user_name = 2001",
        ...lines.map((line) =>
          /^(sip|dns_|static|linekey)/.test(line) && !line.startsWith("sip_")
            ? line
            : `account.1.${line}`,
        ),
      ].join("\n"),
      "y.cfg",
    ),
  );

export const polycom = (...attributes: string[]): string[] =>
  faults(reading(`<all\nreg.1.address="1"\n${attributes.join("\n")}/>`, "p.cfg"));
