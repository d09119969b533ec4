namespace Volunteers.Features.Activities;

/// <summary>Where a phone says it is. Turned into a distance from the activity's place at once, and forgotten.</summary>
/// <param name="Latitude">Degrees north, WGS 84.</param>
/// <param name="Longitude">Degrees east, WGS 84.</param>
internal sealed record Position(double Latitude, double Longitude)
{
    private const double EarthRadiusMeters = 6_371_000;

    /// <summary>Null when the activity's place has no coordinates.</summary>
    public Distance? To(Location? place)
    {
        if (place is not { Latitude: { } latitude, Longitude: { } longitude }) return null;
        var meters = Meters(latitude, longitude);
        var radius = place.RadiusMeters ?? 200;
        return meters <= radius ? Distance.AtPlace : meters <= radius + 2000 ? Distance.Nearby : Distance.Far;
    }

    /// <summary>The haversine formula: exact enough for a street, and right across the date line.</summary>
    private double Meters(double latitude, double longitude)
    {
        var (north, east) = (double.DegreesToRadians(latitude - Latitude) / 2, double.DegreesToRadians(longitude - Longitude) / 2);
        var h = (Math.Sin(north) * Math.Sin(north))
            + (Math.Cos(double.DegreesToRadians(Latitude)) * Math.Cos(double.DegreesToRadians(latitude)) * Math.Sin(east) * Math.Sin(east));
        return 2 * EarthRadiusMeters * Math.Asin(Math.Min(1, Math.Sqrt(h)));
    }
}
