/** What a hello can name beyond version 1; an older peer ignores it. */

/** It understands `pace`: a limit, a pause. */
export const paceFeature = "pace";

/** It takes `bound`: what holds a transfer. */
export const boundFeature = "bound";

/** It takes texts: offers that are shown, and have no entries. */
export const textFeature = "text";

/** It takes streams: offers of one file whose size is known at its end. */
export const streamFeature = "stream";

/** From a dialler with a ticket: it only looks at the offer, and accepts nothing. */
export const lookFeature = "look";

/** It takes `arrived`: results of neighbours that are as they were offered. */
export const arrivedFeature = "arrived";

/** It takes the `content` of an offer: little files that travel with it. */
export const contentFeature = "content";

/** It takes `widen`: a second connection for lanes. */
export const wideFeature = "wide";

/** It answers requests: what is shared with the other side can be listed and asked for. */
export const requestsFeature = "requests";
