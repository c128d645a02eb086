/** Whether a string is no well-formed Unicode, so that no UTF-8 can hold it. */
export function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** What is said of such a string, wherever it is found. */
export const unicodeWords = {
  msg: 'Input should be a valid string, unable to parse raw data as a unicode string',
  type: 'string_unicode',
} as const;
