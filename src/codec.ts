/** The codecs of pieces, by the names that hellos, people and programs use. */

/** How a piece's bytes can travel: as they are, or as one LZ4 block or Zstandard frame. */
export type Codec = "none" | "lz4" | "zstd";

/** How pieces are encoded. */
export interface Coding {
  codec: Codec;
  /** How hard the codec tries; 0 for one that has only one way. */
  level: number;
}

/** Every codec that this version reads. */
export const allCodecs: readonly Codec[] = ["none", "lz4", "zstd"];

/** Pieces as they are. */
export const asTheyAre: Coding = { codec: "none", level: 0 };
