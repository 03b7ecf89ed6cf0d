/** Texts that a key of each form takes, and texts that it refuses. */
import type { ValueForm } from "../../../src/core/provisioning/value-form.ts";

export function legalTexts(form: ValueForm): string[] {
  switch (form.kind) {
    case "number": {
      const middle = form.whole
        ? Math.floor((form.least + form.most) / 2 / form.step) * form.step
        : (form.least + form.most) / 2;
      return [...new Set([form.least, middle, form.most]), ...Object.keys(form.words)].map(String);
    }
    case "choice":
      return Object.keys(form.choices);
    case "duration":
      return ["7 s", "9 min", "12345 ms", "3 h", ...Object.keys(form.words)];
    case "numbers":
      return [`${form.least}`, `${form.least}, ${form.most}`];
    case "host":
      return ["one.example.org", "two.example.org"];
    case "ip":
      return ["192.0.2.98", "2001:db8::99"];
    case "endpoints":
      return ["192.0.2.53", "127.0.0.1:5353, [2001:db8::1]:53"];
    case "users":
      return ["2002", "2002, bob.b"];
    case "pattern":
      return ["urn:example:alpha", "urn:example:beta"];
    case "text":
    case "secret":
      return ["alpha", "beta"];
  }
}

export function illegalTexts(form: ValueForm): string[] {
  switch (form.kind) {
    case "number": {
      const below = String(form.least - 1);
      const low = Object.hasOwn(form.words, below) || form.raiseTo > form.least - 1 ? [] : [below];
      return [...low, String(form.most + 1), "many", "1e3"].filter(
        (text) => !Object.hasOwn(form.words, text),
      );
    }
    case "choice":
      return ["nonsense", "7", "__proto__"];
    case "duration":
      return ["soon", "5 weeks", "-1 s"];
    case "numbers":
      return ["5", "many"];
    case "host":
      return ["not a name", "sip:pbx.example.com", "192.0.2.13:5060", "300.1.1.1"];
    case "ip":
      return ["pbx.example.com", "192.0.2.256", "1::2::3"];
    case "endpoints":
      return ["dns.example.com", "192.0.2.53:0"];
    case "users":
      return ["2002@pbx.example.com", "2002, <2003>"];
    case "pattern":
      return ["two\nlines", "\u00fc"];
    case "text":
    case "secret":
      return [];
  }
}
