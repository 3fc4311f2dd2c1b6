package dev.tocsin.processor;

import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Tally;

/** An incident and what repeats have made of it. */
record Tallied(Incident incident, Tally tally) {}
