/** Heading of the options that every command has, in --help. */
export const REPORTS = 'Reports and help:';
/** Declared with those options, so that it is listed among them. */
export const HELP_OPTION = ['-h, --help', 'print this help'] as const;
