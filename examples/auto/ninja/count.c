#include "count.h"
#include <ctype.h>

void count_letters(const char *text, unsigned counts[LETTERS])
{
    for (; *text != '\0'; text++) {
        int letter = tolower((unsigned char)*text) - 'a';
        if (letter >= 0 && letter < LETTERS)
            counts[letter]++;
    }
}
