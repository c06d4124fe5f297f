/** The files of a receipt as an array, for tests. */

import type { ReceiptFile, ReceiptFiles } from "../src/index.ts";

/** So many files; compared with others they are an array like any other. */
export function receiptFiles(files: readonly ReceiptFile[]): ReceiptFile[] & ReceiptFiles {
  const value = files.filter(isNotAsOffered);
  return Object.defineProperty([...files], "notAsOffered", { value }) as ReceiptFile[] &
    ReceiptFiles;
}

/** Whether a file was not received, or landed under another name. */
export function isNotAsOffered({ status, savedAs }: ReceiptFile): boolean {
  return status !== "received" || savedAs !== undefined;
}
