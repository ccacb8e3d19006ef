#include "count.h"
#include "table.h"

int main(int argc, char **argv)
{
    unsigned counts[LETTERS] = {0};
    for (int i = 1; i < argc; i++)
        count_letters(argv[i], counts);
    print_table(counts);
    return 0;
}
