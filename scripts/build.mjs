/** `npm run build`: builds `dist`, as the npm package has it. */

import { buildSources } from "./packages/build.mjs";

await buildSources();
