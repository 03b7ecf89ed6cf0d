/** REGISTER on its way through servers and targets, as ladders. */
import { test } from "node:test";
import { Rehearsal, sample } from "./rehearsal.ts";

test("Y1, R1: a silent working server is left after three resends, probed, and returned to", () => {
  new Rehearsal(sample("Y1-register-fallback.cfg")).cut("primary").start().until(250).expect("");
});
