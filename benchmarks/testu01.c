/* TestU01's batteries (L'Ecuyer and Simard, ACM TOMS 33, 2007) on the 32-bit words from standard input:
 *
 *   gcc -O2 -o testu01 benchmarks/testu01.c -I/usr/include/testu01 -ltestu01 -lm
 *   python benchmarks/randomness.py --interleaved | ./testu01 SmallCrush
 *
 * Debian has the library as libtestu01-0-dev. Crush takes about an hour.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bbattery.h"
#include "unif01.h"

static unsigned int next_word(void)
{
    static unsigned int words[1 << 16];
    static size_t used = 0, there = 0;
    if (used == there) {
        there = fread(words, sizeof words[0], sizeof words / sizeof words[0], stdin);
        used = 0;
        if (there == 0) {
            fprintf(stderr, "no words are left\n");
            exit(1);
        }
    }
    return words[used++];
}

int main(int count, char **arguments)
{
    unif01_Gen *generator = unif01_CreateExternGenBits("standard input", next_word);
    if (count == 2 && strcmp(arguments[1], "SmallCrush") == 0)
        bbattery_SmallCrush(generator);
    else if (count == 2 && strcmp(arguments[1], "Crush") == 0)
        bbattery_Crush(generator);
    else {
        fprintf(stderr, "usage: testu01 SmallCrush|Crush\n");
        return 2;
    }
    return 0;
}
