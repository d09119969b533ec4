using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>The groups of one line, in the order in which they were asked for. The figures are in the records derived from it.</summary>
internal abstract record ReportRow
{
    internal OrderedDictionary<ReportGroup, object?> Groups { get; init; } = [];

    protected object? this[ReportGroup group] => Groups.GetValueOrDefault(group);

    /// <summary>
    /// Writes the groups that were asked for, in that order and null where there is none (service without a project), then
    /// the figures. Kept out of the options of the service, so that the OpenAPI document shows every member.
    /// </summary>
    internal sealed class InOrder : JsonConverterFactory
    {
        public override bool CanConvert(Type type) => type.IsAssignableTo(typeof(ReportRow));

        public override JsonConverter CreateConverter(Type type, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(Converter<>).MakeGenericType(type))!;

        /// <summary>Of the service, with this order.</summary>
        public static readonly JsonSerializerOptions Options = new(Json.Options) { Converters = { new InOrder() } };

        private sealed class Converter<T> : JsonConverter<T> where T : ReportRow
        {
            private static readonly JsonPropertyInfo[] Figures =
                [.. Json.Options.GetTypeInfo(typeof(T)).Properties.Where(property => property.Get is not null && !ReportGroup.All.ContainsKey(property.Name))];

            public override T Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => throw new NotSupportedException();

            public override void Write(Utf8JsonWriter writer, T row, JsonSerializerOptions options)
            {
                writer.WriteStartObject();
                foreach (var (group, value) in row.Groups)
                {
                    writer.WritePropertyName(group.Name);
                    JsonSerializer.Serialize(writer, value, options);
                }
                foreach (var figure in Figures)
                {
                    writer.WritePropertyName(figure.Name);
                    JsonSerializer.Serialize(writer, figure.Get!(row), figure.PropertyType, options);
                }
                writer.WriteEndObject();
            }
        }
    }
}
