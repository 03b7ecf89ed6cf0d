/** Files that name other files: boot files with `include:config`, and CONFIG_FILES of a Polycom master file. */

/** What the makers put in the place of the phone's address, its model or its part number. */
const OWN_PART = /\[(?:PHONE|MAC)\w*\]|\$(?:MAC|PN|MODEL)\b/gi;

/** Whether each of the files named here (with commas between) is among those given, whatever their folders. */
export function areGiven(names: string, given: readonly string[]): boolean {
  const bases = given.map(baseOf);
  return names
    .split(",")
    .map((name) => baseOf(name.trim()))
    .filter((name) => name !== "")
    .every((name) => {
      const parts = name.split(OWN_PART);
      if (parts.length === 1) return bases.includes(name);
      const [start = "", end = ""] = [parts[0], parts.at(-1)];
      return bases.some((base) => base.startsWith(start) && base.endsWith(end));
    });
}

function baseOf(name: string): string {
  return name.slice(name.search(/[^/\\]*$/)).toLowerCase();
}
