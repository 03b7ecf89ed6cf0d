/** Seeds that every test run plays: some fixed ones, and each that ever failed, with what was wrong then. */

/** Played each time, so that a change of behaviour is seen where it was made. */
export const FIXED_SEEDS: readonly number[] = [
  ...Array.from({ length: 8 }, (_, index) => index + 1),
  // Phones that watch each other and lose their power, and such as have several accounts.
  ...Array.from({ length: 2 }, (_, index) => 2 ** 31 + index),
  ...Array.from({ length: 4 }, (_, index) => 3 * 2 ** 30 + index + 1),
];

/** What is drawn from a seed may change; the seed stays, and goes on standing for the trouble it once made. */
export const FAILED_SEEDS: readonly number[] = [
  // A removal at a fallback that shares its location took the binding just made at the working server.
  16,
  46,
  // A binding shared by two servers ran out with the lifetime that the dead one had granted.
  91,
  // A REGISTER heard late by a second server was granted the second that the first one had left of it, and the renewal
  // came when that had run out.
  310782,
  // A leg delivered late by a slow or frozen server rang again: other CSeq, or call long over.
  101, 103, 163, 165, 180, 227,
  // An answer to a forgotten INVITE was left without ACK and BYE.
  81,
  // After stop the BYE of a call registered the phone anew.
  111, 311,
  // A policy that takes 503 for an answer is promised nothing by a server that says so.
  458,
  // … and the answer that it had waited for began a way home.
  302418,
  // By TTL nobody came home from UDP to TCP at a literal address, which has no TTL.
  340,
  // A 2xx to an INVITE that was given up after PRACK: its BYE bore the number of that.
  154, 265,
  // A request in a dialog registered at the primary in the middle of the call, by a mode that waits for its end.
  129,
  // The late answer to an INVITE of before the move made the phone go home in the middle of another call.
  203731,
  // Whoever had asked for credentials was followed when requests had long gone home.
  305948,
  // … or for the farewell of a subscription left behind.
  431985,
  // … or for what was said in a dialog of before the move, so that a renewal went home in the middle of the call.
  560301,
  // Back at the better server, the way home inside the one left came due, and drew the account there again.
  910091,
  // A trial of the way home put off the retry of a phone registered nowhere, again and again.
  999537,
  // A hold was taken, its answer lost: whoever was to be silent was missed by the session timer. And a renewal was
  // possible for the last twenty milliseconds of a binding only.
  1152840,
  1156975,
  // The answer of a call that was over, repeated late, was ended with a number that its re-INVITE had had.
  21115,
  // A dialog named a phone by its GRUU, and by a flow that was gone: it was not sought by its name.
  2114117444,
  // A late answer that came twice was ended twice, the second time with the lower number.
  3221408660,
  // A re-INVITE that had a 100 was waited for long after its call was over.
  3221412141,
  // Home at the first server, the account got a second flow to the one that it had left, and calls came over that.
  1311980,
  // A dialog went over TLS, and its phone was there over UDP only when the call was over: nothing can get there.
  1306891,
  // A BYE came to a proxy that knew neither the flow nor the phone any more, and so could not pass it on.
  3221507494,
  // A call rang where the phone had given up its flow: no CANCEL went there.
  1044566,
  // The answer to a renewal sent before the return, which sends nothing of its own, undid it.
  2147561641,
  // A server that had asked to be left alone was asked again when its connection had broken.
  94,
  // The ACK for our answer was read as an answer to the offer that we had made meanwhile.
  1182,
  // A removal over a new connection named the Contact of that, and left what was bound.
  2793, 4076,
  // Two registrations went through one proxy: what it had asked of the one the other did not heed.
  4923,
  // The first server said 1xx late, while the next one was being got ready: the call went to both, and was lost.
  3796,
  5201, 21094,
  // … or the connection of a hedge was there only when the first had been heard of.
  303514,
  // An UPDATE was asked again over a new connection after a re-INVITE: CSeq went back.
  500154,
  // A PRACK went elsewhere when the call had been answered and hung up: CSeq went back.
  214761,
  // With hedging, CSeq went back though everybody asked before had refused.
  20325, 20840, 105336,
  // … or had only just begun to connect.
  873672,
  // Credentials for a hedge beside the one heard of set the clock by which the next place had its turn.
  812374,
  // With no cache of records the way of a dialog was looked up anew, and led to a server that had not been on it.
  5721,
  12596, 20695,
  // Nothing was said in a dialog through the server in use, as the registration there had run out, nor through one left
  // for a better one: the other end was left alone (C40).
  20306,
  23252, 42487, 103559,
  // … nor through one that had just taken the call, as a trial of the way back had failed and voided what stood.
  254591,
  // … nor through a proxy that leads to the server in use as well as to one that was left.
  122893,
  // A 2xx to a re-INVITE that had been given up ended the call, at one end only.
  250415,
  // A BYE was not sent to a server that had asked to be left alone, and nobody heard of the end of the call.
  41421,
  // … nor where the account would have been registered first, and could not be.
  839124,
  // With the flow of datagrams that a keep-alive gave up went the INVITE on it: who rang late was not heard.
  42869,
  101066,
  // … and so with a mute connection, though the server that found it ended came over one of its own.
  307887,
  // … while a new connection was sought to ask again.
  308753,
  // Nine servers wrote their sign of life at once, and one never came to it: calls through it found nobody.
  110492,
  // A server that was left brought a call in vain, and so the one registered at brought it in vain, too.
  434979,
  // A leg with credentials rang when the one before it had come late, been answered and ended.
  112759,
  // A callee that had merged a second leg was called again when the first one came to nothing.
  108478,
  // A server asked to be left alone while a connection to it was being made, and was asked all the same.
  103875,
  // … and asked again, as its 503 came when a keep-alive had given up the flow of datagrams.
  210052, 216964, 252034,
  // A stop while a new connection was registered over: what stood by the name of the old one was left.
  426976,
  // A BYE at stop registered elsewhere first, and so a binding was forgotten that nobody removed.
  5756,
  // The BYE for an answer that nobody waited for any more bore the number of a PRACK.
  33521,
  // Faults of the checks: a return between servers taken for one inside a server, F counted on over a short call.
  2101,
  6917,
  // … a return without a request, of which the first request told in the middle of a call.
  121373,
  // … a way round a place that wanted to be left alone taken for a return,
  203698,
  // … a second ring for the leg that had the call, when a late one had been told to stop,
  208481,
  // … a hold whose answer was lost: the other end was silent as it was asked to be, and taken for dead.
  115447,
  // … also while the other end held, too.
  365285,
  // … a BYE to a phone's name that no server on its way had a binding of any more.
  359357,
  // … a leg whose connection had ended, with nobody to tell it to.
  432484,
  // … a leg whose port had refused, its server being gone.
  721906,
  // … a 1xx after Timer B, which nobody hears any more,
  831338,
  // … a leg of another CSeq that a frozen server delivered when the caller had given up,
  870974,
  // … a call that was ended without a word, as its server had been left and nothing may be said to such.
  815500,
  // … calls so close to one another that nobody looked while the phone was idle.
  46207,
  // … an answer that came when whoever had asked had lost its power,
  2147501243, 2147502040,
  // … a server whose first place says 503 for longer than B, where that is an answer,
  418897,
  // … a binding that ran out while its server wanted to be left alone, as it had said late,
  311875, 315351,
  // … a flow left at a proxy that shares its location with nobody, and attempts that go side by side.
  2893,
  20168, 22329, 22478, 23162,
  // A 1xx that was under way when the port of its flow was found closed: its sender was not told to stop.
  39080,
  39662, 40343, 46974, 47268,
  // Faults of the checks: credentials for an attempt beside the one heard of, a way round a place known to be dead.
  24744,
  24692,
  // … a late ring of one that had been left for another place, and was told to stop,
  34659,
  // … and a late ring over a flow that pings to the registrar had had given up.
  35463,
  // A flow that was gone was answered 500, and the phone's other one not tried; that was an older one, granted longer.
  3222000907,
  // A sibling that had been mute for two seconds was not asked though it had answered, nor one that had for long.
  3222000779,
  2148213258,
  // A phone that had rung until Timer C was called by its other way, and took the call though it was about to stop.
  3222206344,
  // A fault of the check: a server that was killed while it refused everybody refuses nobody when it is back.
  2148106828,
  // A late 200 from a server that was left (onlySignalWithRegistered) was acknowledged and not ended.
  2148118360,
  // A fault of the check: what one account of a phone is told of a server that wants quiet, all of them know.
  3222230051,
  // … and idle is a phone between its calls, whichever account has them and however soon the next one comes.
  3222540021,
  // … and a binding leads to nobody once its connection is gone, nor to a phone that has moved to a server of its own.
  3222573468,
  // … and a server that waits for its store does not serve yet.
  2148629113,
  // … and who has lost his power twice ends a call of before as if for the first time.
  3223115959,
  // … and a binding of before the death of its server leads to nobody until the phone is back.
  2148944476,
  // … and who answers by another connection than the one that was given up, and the call with it, is not listened to.
  3223160321,
  // Of a phone's flows at three servers two were gone, and those servers sent a BYE to each other until one said 482.
  3223165085,
  // A renewal under way to the secondary when the time of the return came was taken for the return: 300 s late.
  2149033731,
  // A fault of the check: what waits for a connection that was begun in the storm fails with it after the storm.
  3223413047,
  // … and nobody is reached over a connection that he has given up himself, before he has another one.
  3223445245,
  // … CANCEL to a leg beside the one that has answered does not say that the call is over,
  2149337163,
  // … and who is out of reach at the end of a call is 480, too, where another server was asked for his flow,
  3223533767,
  // Retry-After heard by another line: it asked each 5 s whether the server wanted quiet still, and again too late.
  3223539857,
  // Faults of the checks: the way home begins when the list is another one, and its primary with it …
  3223645817,
  2149437901, 2149449124,
  // … and who had been heard of before a call ended is not to be told to stop when another leg is heard of.
  2149449166,
  // BYE to a late answer was lost with a connection in the making, the ACK to its repetition was not: left in a call.
  3223716812,
  // A fault of the check: who has lost his only connection is not found until he has registered over another one.
  6007989,
  // … and the last server of the way is to find his name: what another one of the way knows of him is no use.
  3224037021,
  // … and a call belongs to the server that has answered it, not to the one asked last: of two asked side by side the
  // one in use had been left by the end, and nothing might be said to it.
  2164500938,
  // … and a BYE that waits for a connection begun in the storm comes to nothing with it, though all is calm by then.
  3224407077,
  // What one account was asked to leave alone its neighbour goes round, too: in a call, by way of the primary.
  3224615479,
  // A flow broke twice, and the renewal hurried on for another server's sake took the place of the one after the pause.
  3225332296,
];
