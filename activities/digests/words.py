"""Words by what they do in a sentence: some claim nothing, some only lead on."""

from activities.plain import tokens

# Words are the same when they begin alike: company, companies.
STEM = 5


def stem(word: str) -> str:
    return word[:STEM]


# Of these nothing is claimed: they stand in any sentence.
CLAIMING_NOTHING = frozenset(
    tokens(
        "a about all also am an and any are as at be been being but by can could did do does for from had has "
        "have he her here him his how i if in into is it its itself just may me might much my now of on one "
        "or other our out say said saying says she should so some still such tell tells than that the "
        "their them then there these they this those through to told too us very was we well were what "
        "when where which while who whom why will with would you your according report reports reported adds added "
        "however meanwhile since although both each"
    )
)

# What leads from one thing to the next is said in these words alone.
LEADING = frozenset(
    tokens(
        "a about all almost also an and another anything are as at back be before begin bit brings but by can "
        "come comes day did do does else even find for from further get give goes going good great "
        "happened has have hear heard here how i if in indeed interesting is it its just keep know known last let "
        "like listen listening look looking lot many matter matters me mean means meanwhile more morning "
        "much my news next now of off ok okay on onto or our out over quick quite rather read ready really "
        "right same say says see should side so some something speaking stories "
        "story sure tell tells thank thanks that the their then there these thing things think this those "
        "time to today together told topic turning up us very wait was watch watching we well were what when where "
        "which while who why will with wonder worth would yes yet you your"
    )
)
