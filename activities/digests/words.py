"""Words by what they do in a sentence: some claim nothing, some decide how a thing went, some only lead on."""

from activities.plain import tokens

# Words are the same when they begin alike: company, companies.
STEM = 5


def stem(word: str) -> str:
    return word[:STEM]


# Of these nothing is claimed: they stand in any sentence.
CLAIMING_NOTHING = frozenset(
    tokens(
        "a about after again all also am an and any are as at be been being but by can could did do does for from had has "
        "have he her here him his how i if in into is it its itself just may me might more most much my now of on one "
        "only or other our out over own same say said saying says she should so some still such tell tells than that the "
        "their them then there these they this those through to told too under until up us very was we well were what "
        "when where which while who whom why will with would you your according report reports reported adds added "
        "however meanwhile since before although both each"
    )
)

# Of these the quote has every one that is said, or it is another outcome. By how they begin.
DECIDING = frozenset(
    stem(word)
    for word in tokens(
        "accept accuse acquire add admit agree approve arrest attack ban bankrupt began begin bought broke buy cancel "
        "charge clear close collapse confirm convict crash cut dead decline decrease defeat delay deny die died dismiss "
        "double down drop end enter exit expand fail fall fell file fine fire fraud freeze gain grew grow guilty halt "
        "halve hire illegal improve increase innocent kill launch lawful layoff leave left legal lose loss lost merge "
        "less open oppose order pass pause plead profit promise quit raise recall refuse reject release resign rise rose "
        "ruin sack scrap sell shrink shut sign sold start steal stop sue support suspend take triple unlawful veto win "
        "withdraw won worse better"
    )
)

# What leads from one thing to the next is said in these words alone.
LEADING = frozenset(
    tokens(
        "a about all almost also an and another anything are as at away back be before begin bit brings but by can "
        "close come comes coming day did do does else even find for from further get give go goes going good great had "
        "happened has have hear heard here how i if in indeed interesting is it its just keep know known last leads let "
        "like listen listening look looking lot many matter matters me mean means meanwhile more morning move moves "
        "moving much my news next now of off ok okay on onto or our out over part quick quite rather read ready really "
        "right same say says see shall short should side so some something speaking stories "
        "story sure take tell tells thank thanks that the their them then there these they thing things think this those "
        "time to today together told topic turn turning up us very wait was watch watching we well were what when where "
        "which while who why will with wonder worth would yes yet you your"
    )
)
