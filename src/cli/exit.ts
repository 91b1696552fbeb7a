// Exit statuses (architecture 9).

export const EXIT_OK = 0;
/** An expectation failed. */
export const EXIT_FAILED = 1;
/** Bad input or usage. */
export const EXIT_BAD_INPUT = 2;
/** A bug of vnetem. */
export const EXIT_BUG = 3;
