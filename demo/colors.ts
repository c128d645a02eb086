import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** Colours for a terminal, none for a file, a pipe, or a person who set `NO_COLOR`. */
export function chooseColors(
  output: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Colors {
  return picocolors.createColors(
    output.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb',
  );
}
