#ifndef TABLE_H
#define TABLE_H

#include "count.h"

/* Prints a line for each letter that occurs. */
void print_table(const unsigned counts[LETTERS]);

#endif
