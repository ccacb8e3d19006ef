#ifndef COUNT_H
#define COUNT_H

#define LETTERS 26

/* Counts the letters of a text, whatever their case. */
void count_letters(const char *text, unsigned counts[LETTERS]);

#endif
