#include "table.h"
#include <stdio.h>

void print_table(const unsigned counts[LETTERS])
{
    for (int letter = 0; letter < LETTERS; letter++) {
        if (counts[letter] > 0)
            printf("%c %u\n", 'a' + letter, counts[letter]);
    }
}
