/** What a hello can name beyond version 1; an older peer ignores it. */

/** From a dialler with a ticket: it only looks at the offer, and accepts nothing. */
export const lookFeature = "look";
